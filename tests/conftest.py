import pytest

import leadgen.celery  # noqa: F401 - binds the tasks to the application


@pytest.fixture(autouse=True)
def _cheap_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
