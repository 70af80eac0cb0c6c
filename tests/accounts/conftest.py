from dataclasses import dataclass
from typing import Any

import pytest

from leadgen.accounts.models import User
from leadgen.accounts.roles import Role
from leadgen.capture.models import Submission
from leadgen.leads.models import Company, Contact, Lead, LeadSubmission, Task
from tests.factories import make_form, make_lead, make_submission, make_team, make_user


@dataclass(frozen=True)
class Place:  # a lead and everything around it
    lead: Lead
    contact: Contact
    company: Company
    task: Task
    submission: Submission

    def row(self, model: str) -> Any:
        return getattr(self, model)


def make_place(word: str, owner: User, form: Any) -> Place:
    company = Company.objects.create(name=f"{word} Company")
    contact = Contact.objects.create(name=f"{word} Person", company=company)
    lead = make_lead(owner, contact=contact, company=company)
    task = Task.objects.create(lead=lead, title=f"{word} Task", owner=owner)
    answers = {"name": f"{word} Person", "email": f"{word.lower()}@example.com"}
    submission = make_submission(form, answers=answers, state=Submission.State.PROCESSED)
    LeadSubmission.objects.create(lead=lead, submission=submission, reason="new")
    return Place(lead, contact, company, task, submission)


@pytest.fixture
def places():

    def make(user: User) -> dict[str, Place]:
        form = make_form()
        mate = make_user(Role.SALES_REP, team=user.team)
        stranger = make_user(Role.SALES_REP, team=make_team())
        owners = {"own": user, "team": mate, "foreign": stranger}
        return {word: make_place(word.title(), owner, form) for word, owner in owners.items()}

    return make


@pytest.fixture
def make_person():
    return lambda role, **fields: make_user(role, team=make_team(), **fields)
