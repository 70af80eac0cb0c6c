"""Forms of the page of a person: the rules of the verbs, beside the fields that break them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from leadgen.accounts import services
from leadgen.accounts.models import User
from leadgen.accounts.visibility import visible, visible_rows
from leadgen.leads.ownership import person_services
from leadgen.leads.ownership.person_services import Destination, Rule
from leadgen.workspace.kit.scoped_admin import edited_values

_RULES = {
    Rule.ROUND_ROBIN: _("Round robin: the people who get new leads"),
    Rule.NO_OWNER: _("No owner"),
    Rule.ALONG: _("Along to the new team (change of team only)"),
}


class NewPasswordForm(AdminPasswordChangeForm):  # type: ignore[misc]  # unfold has no types
    """A form that hashes the password; the verb stores it."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        return user


class NewPersonForm(UserCreationForm):  # type: ignore[misc]
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        role, takes = data.get("role", ""), bool(data.get("takes_leads"))
        services.require_may_take(User(role=role, takes_leads=takes))
        return data


class PersonForm(UserChangeForm):  # type: ignore[misc]
    """A form that asks where open leads and tasks go when the person cannot keep them."""

    actor: User
    handover = forms.ChoiceField(
        required=False, label=_("Hand over to"), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        colleagues = visible_rows(User.objects.working(), self.actor).exclude(pk=self.instance.pk)
        people = [(str(person.pk), person.name) for person in colleagues]
        field: Any = self.fields["handover"]
        field.choices = [("", "---------"), *_RULES.items(), *people]
        field.help_text = gettext(
            "%(work)s. Choose before you deactivate this person, change the team, or give a role "
            "that cannot work leads. Tasks on leads of others go to their owners."
        ) % {"work": person_services.open_work(self.instance)}

    @property
    def values(self) -> dict[str, Any]:
        """The changed fields of the person."""
        return {name: value for name, value in edited_values(self).items() if name != "handover"}

    @property
    def destination(self) -> Destination | None:
        """The chosen destination of open leads and tasks."""
        chosen = self.cleaned_data.get("handover", "")
        if chosen in list(Rule):
            return Rule(chosen)
        return visible(User, self.actor).get(pk=chosen) if chosen else None

    def save_with(self, user: User) -> None:
        """Run the verb."""
        person_services.update_person(
            user, self.values, destination=self.destination, actor=self.actor
        )

    def _post_clean(self) -> None:
        """Show what the verb refuses: run it and roll it back."""
        super()._post_clean()
        if self.errors:
            return
        try:
            with transaction.atomic():
                self.save_with(visible(User, self.actor).get(pk=self.instance.pk))
                transaction.set_rollback(True)
        except ValidationError as error:
            for name, messages in _by_field(error).items():
                self.add_error(name if name in self.fields else None, messages)


def _by_field(error: ValidationError) -> dict[str, list[str]]:
    return (
        error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    )
