"""An administrator's session; runs inside Django."""

import sys

from django.conf import settings
from django.test import Client

from leadgen.accounts.roles import Role
from tests.factories import make_user


def main() -> None:
    """Log an administrator in and print the cookie."""
    client = Client()
    client.force_login(make_user(Role.ADMIN))
    sys.stdout.write(client.cookies[settings.SESSION_COOKIE_NAME].OutputString().split(";")[0])
