import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import leadgen.celery  # noqa: F401 - binds the tasks to the application
from leadgen.forms.models import Form
from tests.factories import make_form, make_pipeline
from tests.stack import Stack, embedded, running


@pytest.fixture(autouse=True)
def _cheap_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def published_form(db: None) -> Form:
    """A live form of the default definition, beside the default pipeline."""
    make_pipeline()
    return make_form()


@pytest.fixture
def stack(transactional_db: None, tmp_path: Path) -> Iterator[Stack]:
    """Web, worker and beat on the test database; the file system holds broker and storage."""
    with running(tmp_path, embedded(tmp_path)) as started:
        yield started


@pytest.fixture(scope="session")
def rabbitmq_url():
    return _given("TEST_RABBITMQ_URL")


@pytest.fixture(scope="session")
def s3_url():
    return _given("TEST_S3_URL")


@pytest.fixture(scope="session")
def chromium():
    return _given("CHROMIUM")


@pytest.fixture(scope="session")
def browsers(chromium):
    """All three engines are here. `make test` has installed them, or fails, where it is root."""
    _given("FIREFOX")
    if missing := os.environ.get("BROWSERS_MISSING"):
        pytest.skip(f"needs more browsers, once: sudo apt-get install {missing}")


@pytest.fixture(scope="session")
def naughty_strings():
    return json.loads(Path(_given("NAUGHTY_STRINGS")).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def axe():
    return Path(_given("AXE")).read_text(encoding="utf-8")


def _given(name):
    if value := os.environ.get(name):
        return value
    if os.environ.get("LEADGEN_TEST_STRICT"):
        pytest.fail(f"`make test` must set {name}")
    return pytest.skip(f"needs {name}, which `make test` sets")
