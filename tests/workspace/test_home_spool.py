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


def seen(browse, role):
    html = browse(make_user(role)).get(HOME).content.decode()
    return " ".join(html.replace("\xa0", " ").split())


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MARKETER])
def test_what_waits_in_the_spool_is_told_with_its_age(browse, storage, role):
    plant(storage, age=timedelta(minutes=3))
    plant(storage)
    html = seen(browse, role)
    assert "2 submissions wait in the spool" in html
    assert "the oldest received" in html
    assert "3 minutes ago" in html
    assert "They join" in html


def test_a_single_one_is_told_in_the_singular(browse, storage):
    plant(storage)
    html = seen(browse, Role.ADMIN)
    assert "1 submission waits in the spool" in html
    assert "the oldest" not in html
    assert "It joins" in html


@pytest.mark.parametrize("role", list(Role))
def test_an_empty_spool_is_not_mentioned(browse, role):
    assert "spool" not in seen(browse, role)


@pytest.mark.parametrize("role", [Role.SALES_REP, Role.SALES_MANAGER, Role.VIEWER])
def test_who_cannot_do_anything_about_it_is_not_told(browse, storage, role):
    plant(storage)
    assert "spool" not in seen(browse, role)


def test_what_was_parked_asks_for_an_operator(browse, storage):
    plant(storage, folder="parked")
    html = seen(browse, Role.ADMIN)
    assert "1 object was parked" in html
    assert "docs/operating/faults.md" in html


def test_a_storage_that_fails_is_said_and_the_page_stands(browse, storage):
    (storage / "spool").write_text("in the way")
    assert "The storage cannot be read" in seen(browse, Role.ADMIN)


def test_a_storage_that_hangs_does_not_hold_the_page_up(browse, monkeypatch):
    monkeypatch.setattr("leadgen.workspace.home.numbers.SPOOL_SECONDS", 0.05)
    monkeypatch.setattr(store, "depth", lambda: threading.Event().wait(5))
    assert "The storage cannot be read" in seen(browse, Role.ADMIN)
