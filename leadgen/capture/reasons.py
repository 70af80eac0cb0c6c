"""Reasons to hold a submission for review: the one enumeration."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReviewReason(models.TextChoices):
    HONEYPOT = "honeypot", _("Caught by hidden field")
    TOO_FAST = "too_fast", _("Filled in too fast")
    TOO_MANY_LINKS = "too_many_links", _("Too many links")
    FLOOD = "flood", _("Too many from one address")
    DISPOSABLE_ADDRESS = "disposable_address", _("Disposable email")
    KEY_REUSED = "key_reused", _("Other content under a key that came before")
    NEWER_FORM = "newer_form", _("Sent to a form of a newer release")
    UNFIT_ANSWERS = "unfit_answers", _("Answers that the form does not accept")
    HELD_BY_HAND = "held_by_hand", _("Held by a colleague")
    UNPUBLISHED = "unpublished", _("Sent after the form was unpublished")
    EXPIRED_PAGE = "expired_page", _("Sent from a page opened more than a day before")
    VERSION_UNKNOWN = "version_unknown", _("Its version of the form could not be read")


def label_of(reason: str) -> str:
    """Return the words for a reason; those of a newer release are shown as they are stored."""
    if reason in ReviewReason.values:
        return str(ReviewReason(reason).label)
    return reason.replace("_", " ")
