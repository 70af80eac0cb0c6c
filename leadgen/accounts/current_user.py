"""The user who is logged in, with the right type."""

from typing import cast

from django.http import HttpRequest

from leadgen.accounts.models import User


def current_user(request: HttpRequest) -> User:
    """Return the logged-in user; only for views that require a log-in."""
    return cast(User, request.user)
