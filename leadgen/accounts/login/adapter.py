"""Adapter of django-allauth for log-in and password reset: limits, events, links."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from leadgen.accounts.login import audit, limits
from leadgen.accounts.login.hashers import HashingBusyError, hash_slot
from leadgen.accounts.metrics import LOGINS
from leadgen.accounts.models import User
from leadgen.events import services as events
from leadgen.lib.net import ip


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Leadgen's adapter; it writes the security events, since signals are not used."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The email or the password is not correct."
    }

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Return the active user whose password this is, or None.

        The attempt counts as failed before the password is checked. Raise TooManyAttemptsError
        at a limit, HashingBusyError where too many passwords are being checked.
        """
        email, near = credentials["email"], client_network(request)
        try:
            attempt = limits.count_attempt(email, near)
        except limits.TooManyAttemptsError:
            audit.limited(email, near)
            raise
        try:
            user = _check(request, email, credentials["password"])
        except HashingBusyError:
            limits.withdraw(attempt)
            raise
        if user:
            limits.forget_failures(attempt)
        else:
            audit.failed(email, near)
        return user

    def reauthenticate(self, user: AbstractBaseUser, password: str) -> bool:
        """Tell whether this is the password of a person who is logged in, under the same limits."""
        email = user.get_username()
        found = self.authenticate(self.request, email=email, password=password)
        return found is not None and found.pk == user.pk

    def post_login(self, request: HttpRequest, user: Any, **details: Any) -> HttpResponseBase:
        events.emit("user.logged_in", user, actor=user, data={"network": client_network(request)})
        LOGINS.labels("succeeded").inc()
        response: HttpResponseBase = super().post_login(request, user, **details)
        return response

    def set_password(self, user: Any, password: str) -> None:
        """Set the password after a reset, which ends every session of this person."""
        super().set_password(user, password)
        limits.clear_account(user.email)
        events.emit("user.password_reset", user, actor=user)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Write the event that a worker mails the link for.

        Mail sent from here would take seconds for addresses that are known, and only for those.
        """
        events.emit("user.password_reset_requested", user)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        """Answer every request with a page: there is no script that wants JSON."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Tell whether a log-in may lead to this address: one of this host, and not the log-in."""
        host, is_secure = self.request.get_host(), self.request.is_secure()
        is_ours = url_has_allowed_host_and_scheme(url, {host}, require_https=is_secure)
        return is_ours and reverse("account_login") not in (url, url.partition("?")[0])

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the first address of the client's network: allauth's own limits count that."""
        return client_network(request).partition("/")[0]

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return nothing: the link is made where the mail is (mail.py), from PUBLIC_URL."""
        return ""


def client_network(request: HttpRequest) -> str:
    """Return the /24 or /64 that the request came from, by what our own proxies say."""
    peer, forwarded = (
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
    )
    return ip.network(ip.client_address(peer, forwarded, settings.TRUSTED_PROXIES))


def _check(request: HttpRequest, email: str, password: str) -> AbstractBaseUser | None:
    # Who waits for the slot waits without a connection: the pool of a web process has eight.
    if not connection.in_atomic_block:
        connection.close()
    with hash_slot():
        return authenticate(request, email=email, password=password)
