"""Look up the session of a raw Cookie header, before Django parses the request."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import connection
from django.http import HttpRequest
from django.http.cookie import parse_cookie


def is_logged_in(cookies: str) -> bool:
    """Return whether the Cookie header has a session of an active user; at most two queries."""
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")
    if not key:
        return False
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    try:
        return get_user(request).is_authenticated
    finally:
        connection.close()  # this thread serves no later request
