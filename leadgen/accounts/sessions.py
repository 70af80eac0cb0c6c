"""Database session store that ignores keys which Django cannot have made."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Django's store; only ASCII letters and digits of a cookie reach PostgreSQL.

    A quoted cookie may hold any character, and PostgreSQL refuses a NUL in a query.
    """

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and len(key) >= 8 and key.isascii() and key.isalnum()
