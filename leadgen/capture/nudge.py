"""Wake the intake: a coalesced hint, sent by a background thread, never waited for."""


def nudge() -> None:
    """Ask for an intake run soon; returns at once whatever the broker does."""
    raise NotImplementedError
