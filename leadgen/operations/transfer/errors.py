"""Why a backup, restore or move did not happen; every message says what to change or look at."""


class MovingError(Exception):
    """Any of these."""


class KeyFaultError(MovingError):
    """A key is missing or no age key of the kind that is needed."""


class DamagedError(MovingError):
    """A part of a backup is gone, changed, or not for this key."""


class NotEmptyError(MovingError):
    """What should be empty is not."""


class SchemaMismatchError(MovingError):
    """Tables here and there are not the same."""


class VerificationError(MovingError):
    """What arrived is not what was sent."""


class InUseError(MovingError):
    """Somebody is still at work who should have stopped."""


class ChildError(MovingError):
    """A command failed on other backends."""
