"""Database session store with an idle limit and an absolute lifetime.

Both follow OWASP's Session Management Cheat Sheet: a session ends when it was not used for
``SESSION_IDLE_SECONDS``, and ``SESSION_COOKIE_AGE`` after its first use at the latest.
"""

import time
from typing import Any

from django.conf import settings
from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

_STARTED = "_session_started"
_USED = "_session_used"
# One write in this time, rather than one in each request, keeps the last use.
_TOUCH_SECONDS = 300
# Sessions that delete_messages reads at once, of about 1 KB each.
_ROWS = 500


class SessionStore(db.SessionStore):
    """Django's store; only ASCII letters and digits of a cookie reach PostgreSQL.

    A quoted cookie may hold any character, and PostgreSQL refuses a NUL in a query.
    """

    def load(self) -> dict[str, Any]:
        """Return the session's data, or none once the session is over."""
        data: dict[str, Any] = super().load()
        now = int(time.time())
        if _is_over(data, now):
            self._session_key = None
            return {}
        if data and now - data.get(_USED, 0) >= _TOUCH_SECONDS:
            data |= {_STARTED: data.get(_STARTED, now), _USED: now}
            self.modified = True
        return data

    def save(self, must_create: bool = False) -> None:
        """Write the session, with the time of its first use if it has none."""
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # the stubs lack it
        if data and _USED not in data:
            now = int(time.time())
            data |= {_STARTED: now, _USED: now}
        super().save(must_create)

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and len(key) >= 8 and key.isascii() and key.isalnum()


def delete_messages() -> None:
    """Delete the messages that wait in sessions for a next page: they name persons.

    A session that changes at the same time keeps its change, and loses its messages with its page.
    """
    store = SessionStore()
    for session in Session.objects.iterator(chunk_size=_ROWS):
        data = store.decode(session.session_data)
        if data.pop(SessionStorage.session_key, None):
            same = Session.objects.filter(pk=session.pk, session_data=session.session_data)
            same.update(session_data=store.encode(data))


def _is_over(data: dict[str, Any], now: int) -> bool:
    idle = now - int(data.get(_USED, now))
    age = now - int(data.get(_STARTED, now))
    return bool(idle > settings.SESSION_IDLE_SECONDS or age > settings.SESSION_COOKIE_AGE)
