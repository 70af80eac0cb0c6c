"""The smallest valid rows, as plain functions."""

from collections.abc import Iterable
from itertools import count
from typing import Any

from django.utils import timezone

from leadgen.accounts.models import Team, User
from leadgen.accounts.roles import Role
from leadgen.capture.models import Submission
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.models import Form, FormVersion
from leadgen.leads.models import Contact, Lead, Pipeline, Stage

_serial = count(1)


def make_team(name: str = "") -> Team:
    return Team.objects.create(name=name or f"Team {next(_serial)}")


def make_user(role: Role = Role.SALES_REP, **fields: Any) -> User:
    number = next(_serial)
    fields.setdefault("email", f"person{number}@example.com")
    fields.setdefault("name", f"Person {number}")
    return User.objects.create_user(fields.pop("email"), "secret-word", role=role, **fields)


DEFINITION = Definition(
    title="Talk to sales",
    fields=(
        FieldDefinition("name", "text", "Your name", required=True, fills="name"),
        FieldDefinition("email", "email", "Work email", required=True, fills="email"),
        FieldDefinition("phone", "phone", "Phone", fills="phone"),
        FieldDefinition("message", "long_text", "How can we help?", fills="message"),
    ),
)


def make_form(definition: Definition = DEFINITION, **fields: Any) -> Form:
    """A form on the air, its first version published."""
    number = next(_serial)
    fields = {"title": definition.title, "slug": f"form-{number}", **fields}
    form = Form.objects.create(**fields)
    form.published = FormVersion.objects.create(
        form=form, number=1, definition=definition.to_json()
    )
    form.save()
    return form


def make_submission(form: Form | None = None, **fields: Any) -> Submission:
    """An accepted submission that waits for intake."""
    form = form or make_form()
    answers = fields.pop("answers", {"name": "Ada", "email": f"ada{next(_serial)}@example.com"})
    defaults: dict[str, Any] = {
        "version": form.published,
        "raw": answers,
        "answers": answers,
        "fingerprint": "0" * 64,
        "state": Submission.State.ACCEPTED,
        "received_at": timezone.now(),
    }
    return Submission.objects.create(form=form, **{**defaults, **fields})


def make_submissions(form: Form, answers: Iterable[dict[str, Any]]) -> None:
    """One accepted submission for each, written with one statement."""
    Submission.objects.bulk_create(
        Submission(
            form=form,
            version=form.published,
            raw=answer,
            answers=answer,
            fingerprint="0" * 64,
            state=Submission.State.ACCEPTED,
            received_at=timezone.now(),
        )
        for answer in answers
    )


def make_pipeline(name: str = "Sales") -> Pipeline:
    """The default pipeline: New, Talking, Won, Lost."""
    pipeline, created = Pipeline.objects.get_or_create(name=name, defaults={"is_default": True})
    if created:
        for position, (stage, kind) in enumerate(
            [("New", "open"), ("Talking", "open"), ("Won", "won"), ("Lost", "lost")]
        ):
            Stage.objects.create(pipeline=pipeline, name=stage, type=kind, position=position)
    return pipeline


def make_lead(owner: User | None = None, **fields: Any) -> Lead:
    pipeline = make_pipeline()
    number = next(_serial)
    contact = fields.pop("contact", None) or Contact.objects.create(
        name=f"Contact {number}", email=f"contact{number}@example.com"
    )
    defaults: dict[str, Any] = {
        "pipeline": pipeline,
        "stage": pipeline.stages.first(),
        "team": owner.team if owner else None,
    }
    return Lead.objects.create(contact=contact, owner=owner, **{**defaults, **fields})
