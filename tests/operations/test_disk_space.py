"""A disk that fills is reported before PostgreSQL stops on it."""

from collections import namedtuple

import pytest

from leadgen.operations import doctor
from leadgen.operations.doctor import Level

pytestmark = pytest.mark.django_db(transaction=True)

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def full(monkeypatch, settings, tmp_path):
    """Set the free percentage of the root's disk and of the storage's."""

    def fill(root, storage):
        free = {"/": root, str(tmp_path): storage}
        settings.STORAGES = settings.STORAGES | {
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": tmp_path / "absent"},
            }
        }

        def disk_usage(folder):
            if folder not in free:
                raise FileNotFoundError(folder)
            return Usage(100, 100 - free[folder], free[folder])

        monkeypatch.setattr("shutil.disk_usage", disk_usage)

    return fill


@pytest.mark.parametrize(
    ("root", "storage", "level"),
    [(50, 50, Level.OK), (14, 50, Level.WARN), (50, 14, Level.WARN), (15, 15, Level.OK)],
)
def test_doctor_warns_below_fifteen_per_cent_free(full, root, storage, level):
    full(root, storage)
    found = next(each for each in doctor.examine() if each.subject == "disk")
    assert found.level == level


def test_metrics_show_the_fullest_disk(full, client):
    full(40, 30)
    assert "leadgen_disk_free_ratio 0.3" in client.get("/metrics").content.decode()
