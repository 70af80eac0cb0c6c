"""Errors of the ledger and the spool."""


class DatabaseUnavailableError(Exception):
    """PostgreSQL did not do what was asked, or not in time; nothing may be promised."""


class KeyReusedError(Exception):
    """The Idempotency-Key came before with other content."""


class RowRejectedError(Exception):
    """PostgreSQL works, and will not have these rows: a constraint, a value, an encoding."""
