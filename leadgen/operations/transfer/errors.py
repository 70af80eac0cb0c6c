"""Errors of backup, restore and move; every message names the fix or the place to check."""


class TransferError(Exception):
    """Base of all errors of backup, restore and move."""


class KeyFaultError(TransferError):
    """A key is missing or is not an age key of the needed kind."""


class DamagedError(TransferError):
    """A part of a backup is missing, changed, or encrypted for another key."""


class NotEmptyError(TransferError):
    """The target database or storage is not empty."""


class SchemaMismatchError(TransferError):
    """Source and target do not fit: other tables, another version, an unusable place."""


class VerificationError(TransferError):
    """The copy differs from its source."""


class InUseError(TransferError):
    """Processes or connections that must be stopped are still active."""


class ChildError(TransferError):
    """A manage.py command failed on the other backends."""
