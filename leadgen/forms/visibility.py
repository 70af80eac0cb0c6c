"""Visibility rules of forms: every user sees every form."""

from leadgen.accounts.visibility import all_rows, register
from leadgen.forms.models import Field, Form, FormVersion


def register_rules() -> None:
    """Register the rules of this package's models."""
    for model in (Form, Field, FormVersion):
        register(model, all_rows)
