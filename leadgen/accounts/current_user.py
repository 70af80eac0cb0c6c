"""The user who is logged in, with the right type."""

from typing import cast

from django.http import HttpRequest

from leadgen.accounts.models import User


def current_user(request: HttpRequest) -> User:
    """The person who is logged in; only for pages that the admin site has let through."""
    return cast(User, request.user)
