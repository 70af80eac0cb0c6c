"""A script: put the measured form on the air and print its public id."""

import django

django.setup()

from leadgen.forms.definition import Definition, Field
from tests.factories import make_form, make_pipeline

DEFINITION = Definition(
    title="Talk to sales",
    fields=(
        Field("name", "text", "Your name", required=True, fills="name"),
        Field("email", "email", "Work email", required=True, fills="email"),
        Field("phone", "phone", "Phone", fills="phone"),
        Field("company", "text", "Company", fills="company"),
        Field("message", "long_text", "How can we help?", fills="message"),
        Field("privacy", "consent", "Privacy", required=True, wording="I agree to be called."),
    ),
)

if __name__ == "__main__":
    make_pipeline()
    print(make_form(DEFINITION, slug="talk").public_id)
