import json
import os
from pathlib import Path

import pytest

import leadgen.celery  # noqa: F401 - binds the tasks to the application


@pytest.fixture(autouse=True)
def _cheap_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
