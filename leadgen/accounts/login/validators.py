"""Refuse passwords that anybody can read in Leadgen's own documents."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# The demo's password, and what is left of one without digits, signs and letter case.
_KNOWN = {
    "leadgen",
    "leadgendemo",
    "leadgenadmin",
    "leadgenpassword",
    "leadgenlogin",
    "leadgenuser",
}
_REST = re.compile(r"[\W\d_]+")
_MESSAGE = _("This password is written in Leadgen's own pages: choose one that names no product.")


class ProductNameValidator:
    """Refuse the product's name and the demo's password, with digits and signs around them too."""

    def validate(self, password: str, user: object = None) -> None:
        if _REST.sub("", password).casefold() in _KNOWN:
            raise ValidationError(_MESSAGE, code="password_of_product")

    def get_help_text(self) -> str:
        return gettext("Your password can’t be the product’s name or the demo’s password.")
