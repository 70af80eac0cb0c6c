"""Sessions in the database; a key that Django never makes is none."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Django's own store, but a cookie's text reaches PostgreSQL only where it can be a key.

    A quoted cookie may hold any character, and a NUL in a query is an error.
    """

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and len(key) >= 8 and key.isascii() and key.isalnum()
