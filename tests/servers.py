"""PostgreSQL servers of a test's own, beside the one that all tests share."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev import postgres, state, unprivileged


@contextmanager
def postgresql(name: str, **settings: str) -> Iterator[str]:
    """Run a fresh server with these settings and yield its DATABASE_URL."""
    # Not tmp_path: PostgreSQL may run as another user, who must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix=f"leadgen-{name}-"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        for module in (state, postgres, unprivileged):
            patch.setattr(module, "VAR", folder)
        recall, keep = state.remembered, state.remember
        patch.setattr(postgres, "remembered", lambda key, other: recall(key, other, folder))
        patch.setattr(postgres, "remember", lambda key, value: keep(key, value, folder))
        with postgres.server(name, durable=False, is_superuser=True, **settings) as url:
            yield url
    shutil.rmtree(folder, ignore_errors=True)
