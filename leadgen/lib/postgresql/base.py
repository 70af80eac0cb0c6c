"""Django's PostgreSQL backend with statement time limits and checked connections of a pool."""

from typing import Any

from django.db.backends.postgresql import base

from leadgen.lib.postgresql import SET_STATEMENT_TIMEOUT


class DatabaseWrapper(base.DatabaseWrapper):
    """Reads STATEMENT_SECONDS of its entry in DATABASES; without it there is no limit."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection; replace all idle ones of the pool if the server has ended this one.

        The pool's own check waits 1, 2, 4 … seconds between broken connections, so a restart of
        the server cost the first pages more than the 5 s that they may wait.
        """
        connection = super().get_new_connection(conn_params)
        if self.pool and not _answers(connection):
            self.pool.putconn(connection)
            self.pool.check()
            connection = super().get_new_connection(conn_params)
        return connection

    # Called once for each connection, by the pool too.
    def _configure_connection(self, connection: Any) -> bool:
        changed: bool = super()._configure_connection(connection)  # type: ignore[misc]
        seconds = self.settings_dict.get("STATEMENT_SECONDS")
        if not seconds:
            return changed
        statement = SET_STATEMENT_TIMEOUT.format(pid=connection.info.backend_pid)
        connection.execute(statement, [str(seconds * 1000)])
        return True


def _answers(connection: Any) -> bool:
    try:
        connection.execute("")
    except base.DatabaseWrapper.Database.OperationalError:
        return False
    return True
