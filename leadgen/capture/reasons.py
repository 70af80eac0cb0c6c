"""Why a submission is held: the one enumeration of reasons."""

from django.db import models


class Reason(models.TextChoices):
    HONEYPOT = "honeypot", "Filled a field that people cannot see"
    TOO_FAST = "too_fast", "Sent faster than anybody can type"
    TOO_MANY_LINKS = "too_many_links", "Too many links"
    FLOOD = "flood", "Too many from one address"
    DISPOSABLE_ADDRESS = "disposable_address", "Throw-away email address"
    KEY_REUSED = "key_reused", "Other content under a key that came before"
    HELD_BY_HAND = "held_by_hand", "Held by a colleague"
