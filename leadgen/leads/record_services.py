"""Verbs for contacts, companies, campaigns and pipelines; each is one transaction with events."""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.models import User
from leadgen.events.actors import Actor, ActorType, actor_of
from leadgen.events.services import Fact, emit, emit_many
from leadgen.leads import lookup
from leadgen.leads.models import Campaign, Company, Contact, Lead, Pipeline, Stage
from leadgen.leads.persons import identities
from leadgen.lib import deletion, row_limit
from leadgen.lib.edits import RowEdits, apply_values, lock_rows, set_values
from leadgen.lib.invisible import plain_line

_NO_EDITS = RowEdits()

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
        Contact.objects.filter(pk=contact.pk).reindex()
        emit("contact.changed", contact, actor=actor, data={"changes": list(changes)})


@transaction.atomic
def update_company(
    company: Company, values: Mapping[str, Any], *, actor: Actor | User | None
) -> None:
    """Set fields of a company; emit company.changed {changes}. Equal values change nothing.

    A new name is written to the search text of every contact of the company. Raise ValidationError
    for a value that its field refuses, and for a new name of a company of too many people.
    """
    if "name" in values:
        values = {**values, "name": plain_line(values["name"])}
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


@transaction.atomic
def add_pipeline(
    pipeline: Pipeline, stages: Sequence[Stage], *, actor: Actor | User | None
) -> None:
    """Save a new pipeline with its stages; emit pipeline.added and stage.added for each.

    Raise ValidationError for stages of which none is open (require_open).
    """
    require_open([stage.type for stage in stages])
    pipeline.save()
    emit("pipeline.added", pipeline, actor=actor)
    emit_many(_add_stages(pipeline, stages), actor=actor)


@transaction.atomic
def update_pipeline(
    pipeline: Pipeline,
    values: Mapping[str, Any],
    stages: RowEdits = _NO_EDITS,
    *,
    actor: Actor | User | None,
) -> None:
    """Set fields of a pipeline and edit its stages; equal values change nothing.

    Emit pipeline.changed {changes}, and stage.added, stage.changed {changes} or stage.deleted
    {name} for each stage. Raise ValidationError for a value that its field refuses, a stage that is
    gone, for another type of a stage with leads (refuse_type), and if no stage stays open
    (require_open).
    """
    changes = apply_values(pipeline, values)
    facts = [Fact("pipeline.changed", pipeline, {"changes": list(changes)})] if changes else []
    if changes:
        pipeline.save(update_fields=changes)
    locked = lock_rows(pipeline.stages.all(), stages.keys)
    facts += [_delete_stage(locked[key]) for key in stages.deleted]
    for key, new_values in (stages.changed or {}).items():
        facts += _change_stage(locked[key], new_values)
    emit_many([*facts, *_add_stages(pipeline, stages.added)], actor=actor)
    if stages.keys:
        require_open(list(pipeline.stages.values_list("type", flat=True)))


@transaction.atomic
def delete_pipeline(pipeline: Pipeline, *, actor: Actor | User | None) -> None:
    """Delete a pipeline without leads, and its stages; emit pipeline.deleted {name}."""
    emit("pipeline.deleted", pipeline, actor=actor, data={"name": pipeline.name})
    pipeline.delete()


def refuse_type(stage: Stage, new_type: str) -> None:
    """Raise ValidationError for another type of a stage in which leads are.

    Status and closing time of a lead follow the type of its stage (lifecycle.py). A change would
    have to rewrite all leads of the stage, without limit, and their numbers of the past.
    """
    if new_type == stage.type:
        return
    if count := row_limit.capped_count(stage.leads.all()):
        raise ValidationError({"type": _type_refused(stage, new_type, count)})


def require_open(types: Collection[str]) -> None:
    """Raise ValidationError for types of stages of which none is open.

    A new lead would begin in a won or lost stage, open and closed at the same time.
    """
    if types and Stage.Type.OPEN not in types:
        text = gettext("Keep at least one stage of the type %(type)s: new leads begin there.")
        raise ValidationError(text % {"type": Stage.Type.OPEN.label})


def _type_refused(stage: Stage, new_type: str, count: int) -> str:
    text = ngettext(
        "%(leads)s is in the stage “%(stage)s”. Keep its type, and add a stage of the type "
        "%(type)s; or move the lead to another stage first.",
        "%(leads)s are in the stage “%(stage)s”. Keep its type, and add a stage of the type "
        "%(type)s; or move the leads to another stage first.",
        count,
    )
    leads = row_limit.sentence(row_limit.in_words(count, Lead))
    return text % {"leads": leads, "stage": stage.name, "type": Stage.Type(new_type).label}


def _add_stages(pipeline: Pipeline, stages: Sequence[Stage]) -> list[Fact]:
    for stage in stages:
        stage.pipeline = pipeline
        stage.save()
    return [Fact("stage.added", stage) for stage in stages]


def _change_stage(stage: Stage, values: Mapping[str, Any]) -> list[Fact]:
    refuse_type(stage, values.get("type", stage.type))
    changes = set_values(stage, values)
    if not changes:
        return []
    stage.save(update_fields=changes)
    return [Fact("stage.changed", stage, {"changes": list(changes)})]


def _delete_stage(stage: Stage) -> Fact:
    fact = Fact("stage.deleted", copy(stage), {"name": stage.name})
    stage.delete()
    return fact


def _require_deletable(row: Company | Campaign) -> None:
    if refusals := deletion.plan(row).refusals:
        raise ValidationError(refusals)


def _company(name: str) -> Company | None:
    name = plain_line(name)
    return lookup.companies([name]).get(name) if name else None


def _source(actor: Actor | User | None) -> str:
    kind = actor_of(actor).type
    return "person" if kind == ActorType.USER else kind.value
