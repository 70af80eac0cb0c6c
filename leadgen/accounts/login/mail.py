"""Password reset mail: the handler writes a notification, the builder makes the link when sent."""

from datetime import timedelta

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from leadgen.accounts.models import Notification, User
from leadgen.accounts.notifications import notify
from leadgen.events.models import Event

_SUBJECT = "Choose a new password for Leadgen"


def on_reset_requested(event: Event) -> None:
    """Write the notification; it expires as the link would, the person has asked again by then."""
    user = User.objects.filter(pk=event.subject_id, is_active=True).first()
    if user:
        expires_at = event.at + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
        notify(user.pk, event.kind, {}, event=event, expires_at=expires_at)


def reset_mail(notification: Notification) -> EmailMessage:
    """Build the mail with a new link, so the link is in no table; PUBLIC_URL names its host."""
    user = notification.recipient
    details = {"name": user.name, "url": _link(user), "minutes": _minutes()}
    body = render_to_string("account/email/password_reset.txt", details)
    return EmailMessage(_SUBJECT, body, None, [user.email])


def _link(user: User) -> str:
    key = default_token_generator.make_token(user)
    details = {"uidb36": user_pk_to_url_str(user), "key": key}
    return settings.PUBLIC_URL + reverse("account_reset_password_from_key", kwargs=details)


def _minutes() -> int:
    return int(settings.PASSWORD_RESET_TIMEOUT) // 60
