"""Verbs for contacts, companies and campaigns; each is one transaction and writes its event."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.models import User
from leadgen.events.actors import Actor, ActorType, actor_of
from leadgen.events.services import emit
from leadgen.leads import lookup
from leadgen.leads.models import Campaign, Company, Contact
from leadgen.leads.persons import identities
from leadgen.lib import deletion, row_limit
from leadgen.lib.edits import apply_values

_TOO_MANY_PEOPLE = _(
    "More than %(limit)s people are found by this name, and one request changes at most %(limit)s. "
    "Keep the name."
)


@transaction.atomic
def update_contact(
    contact: Contact, values: Mapping[str, Any], *, actor: Actor | User | None
) -> None:
    """Set attributes of a contact; emit contact.changed {changes}. Equal values change nothing.

    ``company`` is a name, and a name that is not known yet adds a company; an empty one removes the
    company from the contact. The provenance of what changes is the actor. A changed email or phone
    replaces the identity of the earlier value (ADR 0029). Raise ValidationError for a value that
    its field refuses, and for an email or phone of another contact.
    """
    if "company" in values:
        values = {**values, "company": _company(values["company"])}
    values = identities.normalised(values, country=contact.country)
    if changes := apply_values(contact, values):
        contact.provenance = {**contact.provenance, **dict.fromkeys(changes, _source(actor))}
        contact.save()
        identities.follow(contact, changes)
        emit("contact.changed", contact, actor=actor, data={"changes": list(changes)})


@transaction.atomic
def update_company(
    company: Company, values: Mapping[str, Any], *, actor: Actor | User | None
) -> None:
    """Set fields of a company; emit company.changed {changes}. Equal values change nothing.

    A new name is written to the search text of every contact of the company. Raise ValidationError
    for a value that its field refuses, and for a new name of a company of too many people.
    """
    if changes := apply_values(company, values):
        if "name" in changes:
            require_renamable(company)
        company.save()
        emit("company.changed", company, actor=actor, data={"changes": list(changes)})


def require_renamable(company: Company) -> None:
    """Raise ValidationError for a company of more people than one request may write."""
    if row_limit.capped_count(company.contacts.all()) > row_limit.MAX_ROWS:
        raise ValidationError(_TOO_MANY_PEOPLE % {"limit": f"{row_limit.MAX_ROWS:,}"})


@transaction.atomic
def delete_company(company: Company, *, actor: Actor | User | None) -> None:
    """Delete a company; emit company.deleted {name}. Its contacts and leads stay without it.

    Raise ValidationError when more rows lose it than one request may write.
    """
    _require_deletable(company)
    emit("company.deleted", company, actor=actor, data={"name": company.name})
    company.delete()


@transaction.atomic
def add_campaign(campaign: Campaign, *, actor: Actor | User | None) -> None:
    """Save a new campaign; emit campaign.added."""
    campaign.save()
    emit("campaign.added", campaign, actor=actor)


@transaction.atomic
def update_campaign(
    campaign: Campaign, values: Mapping[str, Any], *, actor: Actor | User | None
) -> None:
    """Set fields of a campaign; emit campaign.changed {changes}. Equal values change nothing.

    Raise ValidationError for a value that its field refuses.
    """
    if changes := apply_values(campaign, values):
        campaign.save()
        emit("campaign.changed", campaign, actor=actor, data={"changes": list(changes)})


@transaction.atomic
def delete_campaign(campaign: Campaign, *, actor: Actor | User | None) -> None:
    """Delete a campaign; emit campaign.deleted {name}. Its leads stay without a campaign.

    Raise ValidationError when more rows lose it than one request may write.
    """
    _require_deletable(campaign)
    emit("campaign.deleted", campaign, actor=actor, data={"name": campaign.name})
    campaign.delete()


def _require_deletable(row: Company | Campaign) -> None:
    if refusals := deletion.plan(row).refusals:
        raise ValidationError(refusals)


def _company(name: str) -> Company | None:
    name = name.strip()
    return lookup.companies([name]).get(name) if name else None


def _source(actor: Actor | User | None) -> str:
    kind = actor_of(actor).type
    return "person" if kind == ActorType.USER else kind.value
