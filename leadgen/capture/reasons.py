"""Why a submission is held: the one enumeration of reasons."""

from django.db import models


class ReviewReason(models.TextChoices):
    HONEYPOT = "honeypot", "Filled a field that people cannot see"
    TOO_FAST = "too_fast", "Sent faster than anybody can type"
    TOO_MANY_LINKS = "too_many_links", "Too many links"
    FLOOD = "flood", "Too many from one address"
    DISPOSABLE_ADDRESS = "disposable_address", "Throw-away email address"
    KEY_REUSED = "key_reused", "Other content under a key that came before"
    NEWER_FORM = "newer_form", "Sent to a form of a newer release"
    UNFIT_ANSWERS = "unfit_answers", "Answers that the form does not accept"
    HELD_BY_HAND = "held_by_hand", "Held by a colleague"
    UNPUBLISHED = "unpublished", "Sent after the form was unpublished"
    VERSION_UNKNOWN = "version_unknown", "Its version of the form could not be read"


def label_of(reason: str) -> str:
    """Return the words for a reason; those of a newer release are shown as they are stored."""
    return ReviewReason(reason).label if reason in ReviewReason.values else reason.replace("_", " ")
