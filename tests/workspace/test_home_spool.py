import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from leadgen.accounts.roles import Role
from leadgen.capture.spool import store
from leadgen.lib.ids import uuid7
from tests.factories import make_user

pytestmark = pytest.mark.django_db

HOME = reverse("admin:index")


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    backend = "django.core.files.storage.FileSystemStorage"
    mine = {"BACKEND": backend, "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"default": mine}
    return tmp_path


def plant(storage, folder="2026-01-02", age=timedelta(0)):
    milliseconds = f"{int((timezone.now() - age).timestamp() * 1000):012x}"
    name = f"{milliseconds[:8]}-{milliseconds[8:]}{str(uuid7())[13:]}.json"
    path = Path(storage) / "spool" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")


def home_text(browse, role):
    html = browse(make_user(role)).get(HOME).content.decode()
    return " ".join(html.replace("\xa0", " ").split())


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MARKETER])
def test_home_shows_the_number_and_age_of_spooled_rows(browse, storage, role):
    plant(storage, age=timedelta(minutes=3))
    plant(storage)
    html = home_text(browse, role)
    assert "2 submissions wait in the spool" in html
    assert "the oldest received" in html
    assert "3 minutes ago" in html
    assert "They join" in html


def test_single_spooled_row_is_shown_in_the_singular(browse, storage):
    plant(storage)
    html = home_text(browse, Role.ADMIN)
    assert "1 submission waits in the spool" in html
    assert "the oldest" not in html
    assert "It joins" in html


@pytest.mark.parametrize("role", list(Role))
def test_an_empty_spool_is_not_mentioned(browse, role):
    assert "spool" not in home_text(browse, role)


@pytest.mark.parametrize("role", [Role.SALES_REP, Role.SALES_MANAGER, Role.VIEWER])
def test_other_roles_do_not_see_the_spool(browse, storage, role):
    plant(storage)
    assert "spool" not in home_text(browse, role)


def test_parked_objects_are_shown_with_the_operators_page(browse, storage):
    plant(storage, folder="parked")
    html = home_text(browse, Role.ADMIN)
    assert "1 object was parked" in html
    assert "docs/operating/faults.md" in html


def test_failed_storage_is_shown_on_a_working_page(browse, storage):
    (storage / "spool").write_text("in the way")
    assert "The storage cannot be read" in home_text(browse, Role.ADMIN)


def test_slow_storage_does_not_delay_the_page(browse, monkeypatch):
    monkeypatch.setattr("leadgen.workspace.home.numbers.SPOOL_SECONDS", 0.05)
    monkeypatch.setattr(store, "depth", lambda: threading.Event().wait(5))
    assert "The storage cannot be read" in home_text(browse, Role.ADMIN)
