"""Errors of the ledger and the spool."""


class DatabaseUnavailableError(Exception):
    """PostgreSQL is unavailable or timed out; the row may not be acknowledged."""


class KeyReusedError(Exception):
    """The Idempotency-Key was used before with different content."""


class RowRejectedError(Exception):
    """PostgreSQL is available and rejects the rows: a constraint, a value or an encoding."""
