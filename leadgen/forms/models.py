"""Form, draft field, form version and former address models."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.forms.format import fields as kinds
from leadgen.forms.format.definition import CONTACT_FIELDS, Definition, Option
from leadgen.forms.format.definition import FieldDefinition as Question
from leadgen.forms.format.languages import canonical
from leadgen.forms.format.reader import Reading, read
from leadgen.forms.origins import origin_of
from leadgen.lib.ids import public_id

_FIELD_NAME = RegexValidator(
    r"^[a-z][a-z0-9_]{0,59}\Z",
    _("Start with a letter; use only a to z, 0 to 9 and _ (at most 60 characters)."),
)


class Form(models.Model):
    """A form. Staff edit its draft; visitors see only the published version."""

    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    slug = models.SlugField(
        _("address"),
        max_length=80,
        unique=True,
        help_text=_("The end of the page's address: /f/ and this."),
    )
    title = models.CharField(max_length=200)
    intro = models.TextField(_("introduction"), blank=True)
    submit_label = models.CharField(_("button text"), max_length=60, default="Send")
    thanks_title = models.CharField(max_length=200, default="Thank you")
    thanks_text = models.TextField(blank=True, default="We have your message and will be in touch.")
    redirect_url = models.URLField(
        _("redirect to"),
        blank=True,
        help_text=_("Send visitors here instead of the thank-you page."),
    )
    locale = models.CharField(_("language"), max_length=10, default="en")
    allowed_origins = models.TextField(
        blank=True,
        help_text=_(
            "Websites that may send this form, one a line, such as https://www.example.com. "
            "Empty means this server only; * means any."
        ),
    )
    published = models.OneToOneField(
        "FormVersion", models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["title"]
        # For the edge's look-up of an address in other letter case.
        indexes = [models.Index(Lower("slug"), name="form_slug_lower")]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a changed address of a published form becomes a former address."""
        with transaction.atomic():
            before = Form.objects.filter(pk=self.pk).values_list("slug", flat=True).first()
            super().save(*args, **kwargs)
            FormAddress.objects.filter(slug=self.slug).delete()
            if before and before != self.slug and self.versions.exists():
                FormAddress.objects.update_or_create(slug=before, defaults={"form": self})

    def clean(self) -> None:
        super().clean()
        self.locale = canonical(self.locale)
        self.allowed_origins = "\n".join(_origin(line) for line in self.allowed_origins.split())

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Reject also an address that is a former address of another published form."""
        super().validate_unique(exclude)
        former = FormAddress.objects.filter(slug=self.slug, form__published__isnull=False)
        if taken := former.exclude(form_id=self.pk).select_related("form").first():
            text = gettext(
                "This is a former address of the form “%(form)s”, which still answers there: "
                "choose another one, or unpublish that form first."
            )
            raise ValidationError({"slug": text % {"form": taken.form}})

    @property
    def origins(self) -> list[str]:
        """The allowed origins as a list, such as ``https://www.example.com``."""
        return self.allowed_origins.split()

    @property
    def differs(self) -> bool:
        """Whether the draft differs from the published version."""
        return self.published is not None and self.draft() != self.published.read()

    def draft(self) -> Definition:
        """Return the draft as a definition."""
        return Definition(
            title=self.title,
            fields=tuple(field.read() for field in self.fields.all()),
            intro=self.intro,
            submit_label=self.submit_label,
            thanks_title=self.thanks_title,
            thanks_text=self.thanks_text,
            redirect_url=self.redirect_url,
            locale=canonical(self.locale),
        )

    def freeze(self, definition: Definition) -> "FormVersion":
        """Create the next version and publish it; call with the form's row locked."""
        latest = self.versions.aggregate(models.Max("number"))["number__max"] or 0
        self.published = self.versions.create(number=latest + 1, definition=definition.to_json())
        self.save(update_fields=["published", "updated_at"])
        return self.published


def _origin(line: str) -> str:
    try:
        return origin_of(line)
    except ValueError:
        text = gettext("%(line)s is no website: write it as https://www.example.com.")
        raise ValidationError({"allowed_origins": text % {"line": line}}) from None


class FormAddress(models.Model):
    """A former address of a form, so that old links and printed codes still find the form.

    Another form may use the address once this form is unpublished.
    """

    slug = models.SlugField(_("address"), max_length=80, unique=True)
    form = models.ForeignKey(Form, models.CASCADE, related_name="former_addresses")
    created_at = models.DateTimeField(_("left at"), auto_now_add=True)

    class Meta:
        verbose_name_plural = _("former addresses")
        indexes = [models.Index(Lower("slug"), name="former_slug_lower")]

    def __str__(self) -> str:
        return self.slug


class Field(models.Model):
    """A field of the draft. Renaming or removing a field changes no stored answer."""

    form = models.ForeignKey(Form, models.CASCADE, related_name="fields")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(
        max_length=60,
        validators=[_FIELD_NAME],
        help_text=_("The key of the answer in the API, such as email."),
    )
    kind = models.CharField(_("type"), max_length=20, choices=kinds.CHOICES)
    label = models.CharField(max_length=200)
    help = models.CharField(max_length=300, blank=True)
    required = models.BooleanField(default=False)
    placeholder = models.CharField(max_length=200, blank=True)
    options = models.TextField(
        blank=True, help_text=_("One a line; write value | label to differ.")
    )
    minimum = models.CharField(max_length=40, blank=True)
    maximum = models.CharField(max_length=40, blank=True)
    max_length = models.PositiveIntegerField(_("longest answer"), null=True, blank=True)
    default = models.CharField(
        max_length=200,
        blank=True,
        help_text=_(
            "What the field holds at first. For a phone: the country of numbers without a "
            "country code, such as GB."
        ),
    )
    wording = models.TextField(
        _("consent text"), blank=True, help_text=_("What a consent says, word for word.")
    )
    fills = models.CharField(
        _("saved to contact field"),
        max_length=20,
        blank=True,
        choices=list(CONTACT_FIELDS.items()),
        help_text=_("The contact's attribute that the answer fills."),
    )

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["form", "name"],
                name="field_name_once_per_form",
                violation_error_message=_("Another field of this form has this name."),
            )
        ]

    def __str__(self) -> str:
        return self.label

    def read(self) -> Question:
        """Return the field as a definition."""
        return Question(
            name=self.name,
            kind=self.kind,
            label=self.label,
            help=self.help,
            required=self.required,
            placeholder=self.placeholder,
            options=tuple(_option(line) for line in self.options.splitlines() if line.strip()),
            minimum=self.minimum,
            maximum=self.maximum,
            max_length=self.max_length,
            default=self.default,
            wording=self.wording,
            fills=self.fills,
        )


def _option(line: str) -> Option:
    value, _, label = (part.strip() for part in line.partition("|"))
    return Option(value, label or value)


class FormVersion(models.Model):
    """A published version of a form. Never changed: submissions refer to the version as shown."""

    form = models.ForeignKey(Form, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="version_number_once_per_form")
        ]

    def __str__(self) -> str:
        return f"{self.form} v{self.number}"

    def reading(self) -> Reading:
        """Return the definition, with the parts that this release does not understand."""
        return read(self.definition)

    def read(self) -> Definition:
        """Return the definition of this version, as far as this release understands it."""
        return Definition.from_json(self.definition)
