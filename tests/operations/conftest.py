import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from leadgen.lib.postgresql.connections import connection_parameters
from leadgen.operations.transfer import tables

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
        return self.python("manage.py", *arguments, **environment)

    def python(self, *arguments, **environment):
        with self.start(*arguments, **environment) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def start(self, *arguments, **environment):
        ours = {"DEBUG": "true", "DJANGO_SETTINGS_MODULE": "leadgen.settings"}
        return subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, **ours, "PYTHONPATH": str(ROOT), **self.backends, **environment},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def make_database():
    """Makes databases of this test's own and returns their URLs."""
    made = []
    with tables.connect(connection_parameters() | {"dbname": "postgres"}) as link:

        def make():
            made.append(f"leadgen_moving_{secrets.token_hex(4)}")
            link.execute(f"CREATE DATABASE {made[-1]}")
            return urlsplit(settings.DATABASE_URL)._replace(path=f"/{made[-1]}").geturl()

        yield make
        for name in made:
            link.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_deployment(make_database, tmp_path_factory):
    """A database without tables and a storage without objects."""
    folder = tmp_path_factory.mktemp("elsewhere")
    storage = f"file://{folder}/storage"
    return Deployment({"DATABASE_URL": make_database(), "STORAGE_URL": storage})
