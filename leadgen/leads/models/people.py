"""Contact, company and identity models."""

import re
from typing import Any

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models, transaction
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.leads.querysets import ContactQuerySet
from leadgen.lib.search.key import SearchKey


class Company(models.Model):
    name = models.CharField(max_length=200)
    website = models.URLField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = _("companies")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="company_name_once")]
        indexes = [
            models.Index(fields=["name", "-id"], name="company_by_name"),
            GinIndex(OpClass(SearchKey("name"), name="gin_trgm_ops"), name="company_search_key"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        old_name = Company.objects.filter(pk=self.pk).values_list("name", flat=True).first()
        super().save(*args, **kwargs)
        if old_name not in (None, self.name):
            Contact.objects.filter(company=self).reindex()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the company; remove its name from the search text of its contacts."""
        with transaction.atomic():
            people = list(Contact.objects.filter(company=self).values_list("pk", flat=True))
            deleted = super().delete(*args, **kwargs)
            Contact.objects.filter(pk__in=people).reindex()
            return deleted


class Contact(models.Model):
    """A person. Intake fills empty attributes and never overwrites a value.

    ``provenance`` holds for each attribute the receipt of the submission it came from, or
    "person" when a user typed it.
    """

    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=320, blank=True)
    # E.164 with an extension: 16 characters, ";ext=" and 20 digits.
    phone = models.CharField(max_length=64, blank=True)
    job_title = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    company = models.ForeignKey(
        Company, models.SET_NULL, null=True, blank=True, related_name="contacts"
    )
    provenance = models.JSONField(default=dict, blank=True, editable=False)
    search = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # The release before reads this one; it goes with the next contraction.
            GinIndex(OpClass(Upper("search"), name="gin_trgm_ops"), name="contact_search"),
            GinIndex(OpClass(SearchKey("search"), name="gin_trgm_ops"), name="contact_search_key"),
        ]

    def __str__(self) -> str:
        if name := self.name or self.email or self.phone:
            return name
        return gettext("Erased person") if self.is_erased else "Unknown person"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.index()
        super().save(*args, **kwargs)

    def index(self) -> None:
        """Set the search text; save() calls this, bulk writes call it or reindex()."""
        company = self.company.name if self.company else ""
        digits = re.sub(r"\D", "", self.phone)
        typed = digits if digits != self.phone[1:] else ""
        parts = (self.name, self.email, self.phone, company, typed, *self._other_identities())
        self.search = " ".join(filter(None, parts))

    def _other_identities(self) -> list[str]:
        if self._state.adding:
            return []
        values = self.identities.order_by("pk").values_list("value", flat=True)
        return [value for value in values if value not in (self.email.lower(), self.phone)]

    @property
    def is_erased(self) -> bool:
        """Whether the person was erased; the provenance then holds the time only."""
        return "erased" in self.provenance


class Identity(models.Model):
    """An identity of a contact: a normalised email address or an E.164 phone number."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("Email")
        PHONE = "phone", _("Phone")

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.CharField(max_length=320)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = _("identities")
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="identity_once")]

    def __str__(self) -> str:
        return self.value
