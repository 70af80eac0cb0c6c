import pytest


@pytest.fixture(autouse=True)
def _storage(settings, tmp_path):
    """A storage of the test's own, in its folder."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }
