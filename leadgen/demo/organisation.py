"""The demo's organisation: teams, people, forms and campaigns."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password

from leadgen.accounts.models import Team, User
from leadgen.accounts.roles import Role
from leadgen.forms import services
from leadgen.forms.models import Field, Form
from leadgen.leads.models import Campaign

PASSWORD = "leadgen-demo"  # noqa: S105 - publicly known, printed by the command
ADMIN = "admin@example.com"
_CONSENT = {
    "name": "consent",
    "kind": "consent",
    "label": "Contact",
    "required": True,
    "wording": "I agree that you use my details to answer my enquiry. I can withdraw this at any "
    "time.",
}
_NEWS = {
    "name": "news",
    "kind": "consent",
    "label": "News",
    "wording": "Send me news about products and events by email, at most once a month.",
}
_NAME = {"name": "name", "kind": "text", "label": "Your name", "required": True, "fills": "name"}
_EMAIL = {
    "name": "email",
    "kind": "email",
    "label": "Work email",
    "required": True,
    "placeholder": "you@company.com",
    "fills": "email",
}
_PHONE = {
    "name": "phone",
    "kind": "phone",
    "label": "Phone",
    "help": "With country code, such as +44 20 7946 0958.",
    "fills": "phone",
}
_COMPANY = {"name": "company", "kind": "text", "label": "Company", "fills": "company"}
_JOB = {"name": "job_title", "kind": "text", "label": "Job title", "fills": "job_title"}
_COUNTRY = {"name": "country", "kind": "country", "label": "Country", "fills": "country"}

_FORMS: list[tuple[dict[str, str], list[dict[str, Any]]]] = [
    (
        {
            "slug": "contact",
            "title": "Talk to us",
            "intro": "Tell us what you are looking for. A person reads every message and answers "
            "within one working day.",
            "submit_label": "Send message",
            "thanks_title": "Thank you, we have your message",
        },
        [
            _NAME,
            _EMAIL,
            _PHONE,
            _COMPANY,
            {
                "name": "message",
                "kind": "long_text",
                "label": "How can we help?",
                "required": True,
                "fills": "message",
            },
            _CONSENT,
        ],
    ),
    (
        {
            "slug": "demo-request",
            "title": "See it live",
            "intro": "Half an hour, your questions, no slides. Choose what matters to you and we "
            "prepare for it.",
            "submit_label": "Request a demo",
            "thanks_title": "Your demo is on its way",
            "thanks_text": "We will suggest two dates by email.",
        },
        [
            _NAME,
            _EMAIL,
            {**_COMPANY, "required": True},
            _JOB,
            _COUNTRY,
            {
                "name": "size",
                "kind": "choice",
                "label": "People in your company",
                "options": "1-10 | 1 to 10\n11-50 | 11 to 50\n51-250 | 51 to 250\n250+ | More",
                "required": True,
            },
            {
                "name": "topics",
                "kind": "multiple_choice",
                "label": "What would you like to see?",
                "options": "capture | Capturing leads\nsales | Working as a team\n"
                "reports | Reports\nsecurity | Security",
            },
            {**_PHONE, "help": "Only if you prefer a call."},
            _CONSENT,
            _NEWS,
        ],
    ),
    (
        {
            "slug": "event-signup",
            "title": "Open house in the workshop",
            "intro": "An afternoon with customers and the people who build the product. Coffee is "
            "on us.",
            "submit_label": "Save my seat",
            "thanks_title": "Your seat is saved",
            "thanks_text": "You will get directions by email a week before.",
        },
        [
            _NAME,
            _EMAIL,
            _COMPANY,
            {
                "name": "seats",
                "kind": "number",
                "label": "Seats",
                "minimum": "1",
                "maximum": "6",
                "default": "1",
                "required": True,
            },
            {"name": "vegetarian", "kind": "yes_no", "label": "Vegetarian lunch?"},
            _CONSENT,
            _NEWS,
        ],
    ),
]


def create_users() -> list[User]:
    """Create the teams and users; return the sales representatives."""
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    _create_user("Alex Admin", "admin", role=Role.ADMIN)
    _create_user("Mika Brandt", "marketer", role=Role.MARKETER)
    _create_user("Nora Lund", "manager", role=Role.SALES_MANAGER, team=north)
    _create_user("Vic Hale", "viewer", role=Role.VIEWER)
    return [
        _create_user("Robin Acker", "robin", role=Role.SALES_REP, team=north, takes_leads=True),
        _create_user("Sam Delgado", "sam", role=Role.SALES_REP, team=north, takes_leads=True),
        _create_user("Kim Sato", "kim", role=Role.SALES_REP, team=south, takes_leads=True),
    ]


@cache
def _password_hash() -> str:
    # Slow by design, so hashed once: all users of the demo share the password.
    return make_password(PASSWORD)


def _create_user(name: str, login: str, **fields: Any) -> User:
    email = f"{login}@example.com"
    return User.objects.create(name=name, email=email, password=_password_hash(), **fields)


def create_forms(actor: User) -> list[Form]:
    """Create and publish the three forms."""
    forms = []
    for texts, questions in _FORMS:
        form = Form.objects.create(**texts)
        for position, question in enumerate(questions):
            Field.objects.create(form=form, position=position, **question)
        services.publish(form, actor=actor)
        forms.append(form)
    return forms


def create_campaigns(now: datetime) -> None:
    """Create the two campaigns that some visitors come from."""
    for name, utm, budget, age in (
        ("Autumn launch", "autumn-launch", 6000, 58),
        ("Workshop open house", "open-house", 1800, 30),
    ):
        Campaign.objects.create(
            name=name,
            utm_campaign=utm,
            budget=budget,
            starts_on=(now - timedelta(days=age)).date(),
            ends_on=(now + timedelta(days=60 - age // 2)).date(),
        )
