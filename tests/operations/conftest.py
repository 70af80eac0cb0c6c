import secrets
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from leadgen.lib.postgresql.connections import connection_parameters
from leadgen.operations.transfer import tables
from tests.deployment import Deployment


@pytest.fixture(autouse=True)
def _storage(settings, tmp_path):
    """A storage of the test's own, in its folder."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }


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
