"""The form that is measured, and who works its leads; runs inside Django."""

import sys

from leadgen.accounts.roles import Role
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.leads.models import Campaign
from tests.factories import make_form, make_pipeline, make_team, make_user

DEFINITION = Definition(
    title="Talk to sales",
    fields=(
        FieldDefinition("name", "text", "Your name", required=True, fills="name"),
        FieldDefinition("email", "email", "Work email", required=True, fills="email"),
        FieldDefinition("phone", "phone", "Phone", fills="phone"),
        FieldDefinition("company", "text", "Company", fills="company"),
        FieldDefinition("message", "long_text", "How can we help?", fills="message"),
        FieldDefinition(
            "privacy", "consent", "Privacy", required=True, wording="I agree to be called."
        ),
    ),
)


def main() -> None:
    """Put the form on the air and print its public id."""
    make_pipeline()
    team = make_team()
    for _ in range(4):
        make_user(Role.SALES_REP, team=team, takes_leads=True)
    Campaign.objects.create(name="Spring looms", utm_campaign="spring-looms")
    sys.stdout.write(make_form(DEFINITION, slug="talk").public_id)
