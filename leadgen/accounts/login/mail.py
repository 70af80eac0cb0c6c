"""The mail with the link to a new password; listed in leadgen/pipeline.py."""

from datetime import timedelta

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from leadgen.accounts.models import User
from leadgen.events.models import Event

_SUBJECT = "Choose a new password for Leadgen"


def send_reset_link(event: Event) -> None:
    """Mail the link to the person who asked for it; raise if SMTP fails.

    The link is made here, so it is in no table, and PUBLIC_URL names its host. A request that has
    waited for longer than a link is valid is dropped: the person has asked again by then.
    """
    if event.at < timezone.now() - timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT):
        return
    user = User.objects.filter(pk=event.subject_id, is_active=True).first()
    if user:
        details = {"name": user.name, "url": _link(user), "minutes": _minutes()}
        body = render_to_string("account/email/password_reset.txt", details)
        send_mail(_SUBJECT, body, None, [user.email])


def _link(user: User) -> str:
    key = default_token_generator.make_token(user)
    details = {"uidb36": user_pk_to_url_str(user), "key": key}
    return settings.PUBLIC_URL + reverse("account_reset_password_from_key", kwargs=details)


def _minutes() -> int:
    return int(settings.PASSWORD_RESET_TIMEOUT) // 60
