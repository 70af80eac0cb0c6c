import gzip
import json
import re
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

import pyrage
import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from leadgen.accounts.models import User
from leadgen.capture.models import Submission
from leadgen.capture.spool import store
from leadgen.capture.spool.replay import replay
from leadgen.events.models import Event
from leadgen.lib.backends import storage
from leadgen.operations.models import Backup
from leadgen.operations.transfer import archive, objects, tables
from tests.factories import make_lead, make_user
from tests.flows.waiting import eventually
from tests.operations.moving import PUBLIC, SECRET, contents, furnish, run

pytestmark = pytest.mark.django_db(transaction=True)

DEFINITIONS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1
"""


@pytest.fixture
def target(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("BACKUP_IDENTITY", SECRET)
    return tmp_path_factory.mktemp("backups")


def backup(target):
    """Back up; return the folder of the newest backup."""
    run("backup", f"file://{target}", "--recipient", PUBLIC)
    return max(target.iterdir())


def make_backup(**fields):
    counts = {"rows": 1, "objects_count": 1, "size": 1, "seconds": 1}
    return Backup.objects.create(name=secrets.token_hex(4), **counts, **fields)


def restore(target, *arguments):
    return run("restore", f"file://{target}", *arguments)


def wipe(tmp_path):
    call_command("flush", interactive=False, verbosity=0)
    for path in sorted(tmp_path.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()


def stored(tmp_path):
    return {
        str(path.relative_to(tmp_path)): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }


def definitions():
    with connection.cursor() as cursor:
        cursor.execute(DEFINITIONS)
        # PostgreSQL writes the casts of an expression in another way once it has read its own.
        return [re.sub(r"::(text|character varying)|[][()]", "", d) for (d,) in cursor.fetchall()]


def test_restore_recovers_every_table_and_object(target, tmp_path):
    furnish()
    held, files, schema = contents(), stored(tmp_path), definitions()
    backup(target)
    wipe(tmp_path)
    said = restore(target)
    assert contents() == held
    assert stored(tmp_path) == files
    assert definitions() == schema
    assert "Every submission is accounted for." in said


def test_restored_deployment_assigns_new_ids_and_reads_events(target, tmp_path):
    furnish()
    last = make_lead().pk
    Event.objects.update(transaction=2**60)  # as from a server that has seen much more
    backup(target)
    wipe(tmp_path)
    restore(target)
    assert make_lead().pk > last
    assert Event.objects.settled().filter(kind="lead.created").count() == 1


def test_a_restored_spool_is_replayed_into_the_ledger(target, tmp_path):
    furnish()
    backup(target)
    wipe(tmp_path)
    restore(target)
    replay(seconds=9)
    assert (Submission.objects.count(), store.depth().waiting) == (2, 0)


def test_restore_accepts_a_database_without_tables(target, empty_deployment):
    furnish()
    held = contents()
    backup(target)
    done = empty_deployment.manage("restore", f"file://{target}", BACKUP_IDENTITY=SECRET)
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(empty_deployment.parameters) == held
    assert empty_deployment.manage("reconcile").returncode == 0


def test_backup_in_s3_can_be_restored(target, tmp_path, s3_url):
    furnish()
    held, files = contents(), stored(tmp_path)
    url = urlsplit(s3_url)._replace(path=f"/backups-{secrets.token_hex(4)}").geturl()
    run("backup", url, "--recipient", PUBLIC)
    wipe(tmp_path)
    run("restore", url)
    assert (contents(), stored(tmp_path)) == (held, files)


def test_backup_of_many_parts_can_be_restored(target, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "PART_BYTES", 2000)
    monkeypatch.setattr("leadgen.operations.transfer.tar.PART_BYTES", 4000)
    furnish(objects=12)
    held, files = contents(), stored(tmp_path)
    made = backup(target)
    assert len(list((made / "objects").iterdir())) > 3
    wipe(tmp_path)
    restore(target)
    assert (contents(), stored(tmp_path)) == (held, files)


def test_only_counts_are_readable_without_the_key(target):
    furnish()
    made = backup(target)
    plain = b"".join(path.read_bytes() for path in made.rglob("*") if path.is_file())
    assert b"example.com" not in plain
    assert b"uploads/" not in plain
    manifest = json.loads((made / "manifest.json").read_text())
    assert {table["name"]: table["rows"] for table in manifest["tables"]}["leads_lead"] == 1


def test_backup_for_another_key_is_not_decrypted(target, tmp_path, monkeypatch):
    furnish()
    backup(target)
    wipe(tmp_path)
    monkeypatch.setenv("BACKUP_IDENTITY", archive.make_key()[0])
    with pytest.raises(CommandError, match="cannot be decrypted with this BACKUP_IDENTITY"):
        restore(target)
    assert not User.objects.exists()


@pytest.mark.parametrize("kind", ["tables", "objects", "index", "spool"])
def test_a_changed_part_is_refused_and_nothing_is_committed(target, tmp_path, kind):
    furnish()
    part = next(path for path in (backup(target) / kind).rglob("*") if path.is_file())
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    wipe(tmp_path)
    with pytest.raises(CommandError, match=f"{kind}/.*SHA-256 differs"):
        restore(target)
    assert not User.objects.exists()


def test_a_missing_part_is_refused(target, tmp_path):
    furnish()
    next((backup(target) / "tables").rglob("*.age")).unlink()
    wipe(tmp_path)
    with pytest.raises(CommandError, match="is missing"):
        restore(target)


def test_restore_refuses_a_database_in_use(target, empty_deployment):
    furnish()
    backup(target)
    with tables.connect(empty_deployment.parameters):
        done = empty_deployment.manage("restore", f"file://{target}", BACKUP_IDENTITY=SECRET)
    assert "1 connections to this database are open: stop every process" in done.stderr


def test_a_deployment_with_rows_is_not_overwritten(target):
    furnish()
    backup(target)
    with pytest.raises(
        CommandError, match=r"holds rows in accounts_user, .*: choose an empty database"
    ):
        restore(target)


def test_a_storage_with_objects_is_not_overwritten(target, tmp_path):
    furnish()
    backup(target)
    wipe(tmp_path)
    default_storage.save("uploads/mine.txt", ContentFile(b"mine"))
    with pytest.raises(CommandError, match=r"the storage holds uploads/mine.txt"):
        restore(target)


def test_restore_refuses_a_backup_of_a_newer_version(target, tmp_path):
    furnish()
    manifest = backup(target) / "manifest.json"
    document = json.loads(manifest.read_text()) | {"version": "99.0"}
    document["migrations"].append(["leads", "9999_to_come"])
    manifest.write_text(json.dumps(document))
    wipe(tmp_path)
    with pytest.raises(CommandError, match=r"restore with version 99.0"):
        restore(target)


def test_restore_refuses_rows_that_differ_from_the_manifest(target, tmp_path):
    furnish()
    manifest = backup(target) / "manifest.json"
    document = json.loads(manifest.read_text())
    table = next(table for table in document["tables"] if table["name"] == "leads_lead")
    table["checksum"] = "1"
    manifest.write_text(json.dumps(document))
    wipe(tmp_path)
    with pytest.raises(CommandError, match="leads_lead has 1 rows, checksum"):
        restore(target)
    assert not User.objects.exists()


def test_unfinished_backup_is_not_listed(target):
    furnish()
    (backup(target) / "manifest.json").unlink()
    with pytest.raises(CommandError, match="no finished backup"):
        restore(target)


def test_trial_restore_does_not_change_the_deployment(target):
    furnish()
    held = contents()
    backup(target)
    said = restore(target, "--check")
    assert "can be restored" in said
    assert contents() == held
    assert Backup.objects.get().checked_at


@pytest.fixture
def trying(target, empty_deployment):
    """Start a try of a backup beside a migrated deployment; return once its copy exists."""
    furnish()
    backup(target)
    empty_deployment.manage("migrate", "-v0").check_returncode()
    key = {"BACKUP_IDENTITY": SECRET}

    def start():
        process = empty_deployment.start(
            "manage.py", "restore", f"file://{target}", "--check", **key
        )
        eventually(copies, seconds=30)
        return process

    return start


def copies():
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'leadgen_check_%'")
        return cursor.fetchall()


@pytest.mark.processes
def test_trial_restore_ended_by_sigterm_drops_its_copy(trying):
    with trying() as process:
        process.terminate()
        process.communicate(timeout=30)
    assert (process.returncode, copies()) == (143, [])


@pytest.mark.processes
def test_trial_restore_drops_the_copy_of_a_killed_one(trying, empty_deployment, target):
    with trying() as process:
        process.kill()
    assert copies()
    url = f"file://{target}"
    done = empty_deployment.manage("restore", url, "--check", BACKUP_IDENTITY=SECRET)
    assert (done.returncode, copies()) == (0, []), done.stderr


def test_trial_restore_of_a_damaged_backup_fails(target):
    furnish()
    next((backup(target) / "tables").rglob("*.age")).write_bytes(b"x")
    with pytest.raises(CommandError, match="SHA-256 differs"):
        restore(target, "--check")
    assert not Backup.objects.get().checked_at


def test_backup_without_a_key_names_the_command_to_make_one(target):
    with pytest.raises(CommandError, match="--make-key"):
        run("backup", f"file://{target}")


def test_secret_key_is_refused_as_public_key(target):
    with pytest.raises(CommandError, match="BACKUP_RECIPIENTS must hold age1"):
        run("backup", f"file://{target}", "--recipient", SECRET)


def test_new_key_pair_encrypts_and_decrypts():
    secret, public = (line.split("=")[1] for line in run("backup", "--make-key").split()[::-1])
    assert str(archive.identity(secret).to_public()) == public


def test_a_backup_into_the_storage_itself_is_refused(tmp_path):
    furnish()
    with pytest.raises(CommandError, match="BACKUP_URL is inside STORAGE_URL"):
        backup(tmp_path / "backups")
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize(
    ("url", "within"),
    [
        ("s3://leads/files/backups", True),
        ("s3://leads/files", True),
        ("s3://leads/files-2", False),
        ("s3://others/files", False),
        ("s3://leads/files?endpoint_url=http://127.0.0.1:9", False),
    ],
)
def test_two_prefixes_of_a_bucket_are_different_places(url, within):
    here, there = (storages.create_storage(storage(place)) for place in ("s3://leads/files", url))
    assert objects.is_within(there, here) is within


def test_backup_without_a_target_is_refused():
    with pytest.raises(CommandError, match="set BACKUP_URL"):
        run("backup", "--recipient", PUBLIC)


@pytest.fixture
def meanwhile(monkeypatch):
    """Has something done just before a part of a backup is written."""

    def arrange(part, act):
        stream = archive.ArchiveWriter.stream

        def interrupted(self, name, chunks):
            if name == part:
                act()
            return stream(self, name, chunks)

        monkeypatch.setattr(archive.ArchiveWriter, "stream", interrupted)

    return arrange


def test_write_during_a_backup_is_complete_or_absent(target, tmp_path, meanwhile):
    furnish()
    people = User.objects.count()
    meanwhile("tables/accounts_user", make_user)
    backup(target)
    wipe(tmp_path)
    restore(target)
    assert User.objects.count() == people


def test_submission_replayed_during_a_backup_is_in_it(target, tmp_path, meanwhile):
    furnish()
    meanwhile("tables/accounts_team", lambda: replay(seconds=9))
    backup(target)
    assert Submission.objects.count() == 2
    wipe(tmp_path)
    restore(target)
    replay(seconds=9)
    assert Submission.objects.count() == 2


def test_unfinished_spool_object_is_not_in_the_backup(target, tmp_path):
    furnish()
    (tmp_path / store.UNFINISHED / "half").write_text("{")
    backup(target)
    wipe(tmp_path)
    restore(target)
    assert not any(name.startswith(store.UNFINISHED) for name in stored(tmp_path))


def test_object_stored_before_its_row_is_in_the_backup(target, tmp_path, meanwhile):
    furnish()
    late = ContentFile(b"late")
    meanwhile("tables/accounts_team", lambda: default_storage.save("uploads/late.txt", late))
    backup(target)
    wipe(tmp_path)
    restore(target)
    assert stored(tmp_path)["uploads/late.txt"] == b"late"


def test_age_and_gzip_can_open_a_part(target):
    furnish()
    part = next((backup(target) / "tables" / "accounts_user").iterdir())
    opened = pyrage.decrypt(part.read_bytes(), [pyrage.x25519.Identity.from_str(SECRET)])
    assert "Zoë" in gzip.decompress(opened).decode()


def test_metrics_show_the_age_of_backup_and_trial_restore(target, client):
    assert b"leadgen_backup_age_seconds" not in client.get("/metrics").content
    make_backup(at=timezone.now() - timedelta(hours=3))
    make_backup(at=timezone.now() - timedelta(hours=2), checked_at=timezone.now())
    said = client.get("/metrics").text.splitlines()
    lines = dict(line.split() for line in said if line.startswith("leadgen_backup"))
    assert float(lines["leadgen_backup_age_seconds"]) == pytest.approx(7200, abs=60)
    assert float(lines["leadgen_backup_checked_age_seconds"]) < 60


def test_cache_is_not_in_the_backup_and_not_changed(target):
    cache.set("limit", 1)
    backup(target)
    cache.set("limit", 2)
    call_command("flush", interactive=False, verbosity=0)
    cache.set("limit", 3)
    restore(target)
    assert cache.get("limit") == 3
