import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from leadgen.capture.database import connection_parameters
from leadgen.operations.moving import tables

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _storage(settings, tmp_path):
    """A storage of the test's own, in its folder."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }


@dataclass
class Deployment:
    """Backends of their own, and manage.py on them."""

    backends: dict[str, str]

    @property
    def parameters(self):
        return tables.parameters(self.backends["DATABASE_URL"])

    def manage(self, *arguments, **environment):
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env={**os.environ, "DEBUG": "true", **self.backends, **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def empty_deployment(tmp_path_factory):
    """A database without tables and a storage without objects."""
    name = f"leadgen_moving_{secrets.token_hex(4)}"
    folder = tmp_path_factory.mktemp("elsewhere")
    with tables.connected(connection_parameters() | {"dbname": "postgres"}) as link:
        link.execute(f"CREATE DATABASE {name}")
        url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
        yield Deployment({"DATABASE_URL": url, "STORAGE_URL": f"file://{folder}/storage"})
        link.execute(f"DROP DATABASE {name} WITH (FORCE)")
