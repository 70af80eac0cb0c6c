import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.utils import timezone

from leadgen.lib.backends import storage as configured
from leadgen.operations import doctor
from leadgen.operations.doctor import Level
from leadgen.operations.models import Backup
from leadgen.operations.transfer import objects
from leadgen.operations.transfer.scheduled import schedule, target
from leadgen.operations.transfer.scheduled.retention import prune, prune_unfinished
from tests.operations.moving import PUBLIC, furnish, run

pytestmark = pytest.mark.django_db(transaction=True)


class StopError(BaseException):
    """Ends the endless loop of a schedule."""


@pytest.fixture
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("backups")


@pytest.fixture
def place(folder):
    return storages.create_storage(configured(f"file://{folder}"))


def record(age):
    counts = {"rows": 1, "objects_count": 1, "size": 1, "seconds": 1}
    return Backup.objects.create(name=str(age), at=timezone.now() - age, **counts)


def named(folder, days):
    """A finished backup of so many days ago."""
    name = f"{timezone.now() - timedelta(days=days):%Y-%m-%dT%H%M%SZ}-abc123"
    (folder / name / "tables").mkdir(parents=True)
    (folder / name / "tables/part").write_text("x")
    (folder / name / "manifest.json").write_text("{}")
    return name


def finding():
    return next(each for each in doctor.examine() if each.subject == "backup")


def test_doctor_warns_without_any_backup():
    assert finding().level == Level.WARN
    assert "deploy/docs/compose.md" in finding().text


def test_doctor_warns_of_a_backup_older_than_a_day():
    record(timedelta(hours=27))
    assert finding().level == Level.WARN
    assert "the newest is 27 hours old" in finding().text


def test_doctor_accepts_a_backup_of_last_night():
    record(timedelta(hours=25))
    assert finding().level == Level.OK


def repeat(once, rounds, status=None, report=print):
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == rounds:
            raise StopError

    with pytest.raises(StopError):
        schedule.repeat(once, timedelta(hours=24), status, report, sleep)
    return waits


def test_schedule_creates_a_backup_when_there_is_none(folder):
    repeat(lambda: run("backup", f"file://{folder}", "--recipient", PUBLIC), rounds=3)
    assert Backup.objects.count() == 1


def test_schedule_creates_a_backup_when_the_newest_is_old():
    record(timedelta(hours=24, minutes=1))
    made = []
    repeat(lambda: made.append(1), rounds=1)
    assert made == [1]


def test_schedule_does_nothing_after_a_recent_backup():
    record(timedelta(hours=23))
    assert repeat(pytest.fail, rounds=2) == [schedule.POLL_SECONDS] * 2


def test_schedule_reports_a_failure_and_tries_again(tmp_path):
    status = tmp_path / "succeeded"
    status.touch()
    said: list[str] = []

    def fail():
        raise OSError("no space left")

    assert repeat(fail, 2, status, said.append) == [schedule.RETRY_SECONDS] * 2
    assert "no space left" in said[0]
    assert not status.exists()


def test_schedule_leaves_a_status_file_after_a_success(tmp_path):
    repeat(lambda: None, 1, tmp_path / "succeeded")
    assert (tmp_path / "succeeded").exists()


def test_old_backups_are_deleted_but_for_the_newest_three(folder, place):
    names = [named(folder, days) for days in (40, 30, 20, 10, 1)]
    assert prune(place, timedelta(days=14)) == names[:2]
    assert sorted(path.name for path in folder.iterdir()) == names[2:]


def test_few_backups_are_kept_whatever_their_age(folder, place):
    for days in (90, 80, 70):
        named(folder, days)
    assert prune(place, timedelta(days=1)) == []


def test_parts_of_a_killed_backup_are_deleted_after_two_days(folder, place):
    names = [named(folder, days) for days in (9, 3, 1)]
    for name in names[1:]:
        (folder / name / "manifest.json").unlink()
    (folder / "a-folder-of-mine").mkdir()
    assert prune_unfinished(place) == [names[1]]
    assert sorted(path.name for path in folder.iterdir()) == [
        names[0],
        names[2],
        "a-folder-of-mine",
    ]


def full_disk(monkeypatch, writes):
    """Let so many parts be stored, and no more."""
    left = iter(range(writes))

    def put(*arguments):
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return stored(*arguments)

    stored = objects.put
    monkeypatch.setattr(objects, "put", put)


@pytest.mark.parametrize("writes", [0, 2])
def test_a_backup_on_a_full_disk_leaves_nothing(folder, monkeypatch, writes):
    furnish()
    full_disk(monkeypatch, writes)
    with pytest.raises(OSError, match="No space left"):
        run("backup", f"file://{folder}", "--recipient", PUBLIC)
    assert list(folder.iterdir()) == []


def test_expired_backups_make_room_for_the_new_one(folder, monkeypatch):
    names = [named(folder, days) for days in (40, 30, 20, 10, 1)]
    full_disk(monkeypatch, 0)
    with pytest.raises(OSError, match="No space left"):
        run("backup", f"file://{folder}", "--recipient", PUBLIC, "--keep-days", "14")
    assert sorted(path.name for path in folder.iterdir()) == names[2:]


def test_other_folders_are_never_deleted(folder, place):
    (folder / "a-folder-of-mine").mkdir()
    (folder / "a-folder-of-mine/manifest.json").write_text("{}")
    for days in (9, 8, 7):
        named(folder, days)
    assert prune(place, timedelta(days=1)) == []


def test_backup_refuses_the_memory_of_a_container(folder, place, monkeypatch, tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 8:1 / / rw - ext4 /dev/x rw\n2 1 0:9 / {folder} rw - tmpfs tmpfs rw\n")
    monkeypatch.setattr(target, "MOUNTS", mounts)
    monkeypatch.setattr(target, "is_container", lambda: True)
    with pytest.raises(CommandError, match="in the memory of this container and is lost with it"):
        call_command("backup", f"file://{folder}/below", recipient=[PUBLIC])
    assert list(folder.iterdir()) == []


def test_backup_outside_a_container_may_use_any_folder(folder, monkeypatch):
    monkeypatch.setattr(target, "is_container", lambda: False)
    monkeypatch.setattr(target, "file_system", lambda _: "tmpfs")
    assert "rows and" in run("backup", f"file://{folder}", "--recipient", PUBLIC)


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "ext4"), ("/backups/x", "xfs"), ("/backups2", "ext4"), ("/a b", "nfs")]
)
def test_file_system_of_a_folder_is_that_of_its_longest_mount(path, kind, monkeypatch, tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw shared:1 - ext4 /dev/x rw\n"
        "2 1 8:2 / /backups rw - xfs /dev/y rw\n"
        "3 1 8:3 / /a\\040b rw - nfs server:/z rw\n"
    )
    monkeypatch.setattr(target, "MOUNTS", mounts)
    assert target.file_system(Path(path)) == kind


def test_a_folder_that_cannot_be_written_is_named_with_its_user():
    with pytest.raises(CommandError) as refused:
        call_command("backup", "file:///proc/backups", recipient=[PUBLIC])
    assert "/proc/backups cannot be written by user" in str(refused.value)
    assert f"chown {os.geteuid()}" in str(refused.value)
