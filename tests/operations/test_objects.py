from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage

from leadgen.operations.transfer import objects
from leadgen.operations.transfer.errors import VerificationError

SPOOLED, ATTACHED = "spool/2026-01-05/one.json", "attachments/one.txt"


class Replaying(InMemoryStorage):
    """Loses what it is given at once, as a spool whose worker is quick."""

    def save(self, name, content, max_length=None):
        saved = super().save(name, content, max_length)
        self.delete(saved)
        return saved


class Gone(BytesIO):
    def read(self, *arguments):
        raise RuntimeError("NoSuchKey")


class Late(InMemoryStorage):
    """Tells only on reading that an object has gone, and in its own words."""

    def open(self, name, mode="rb"):
        self.delete(name)
        return Gone()


@pytest.fixture
def source():
    storage = InMemoryStorage()
    for name in (SPOOLED, ATTACHED):
        storage.save(name, ContentFile(b"content"))
    return storage


def test_copied_spool_object_may_be_replayed_at_once(source):
    entry = objects.copy(source, Replaying(), SPOOLED)
    assert entry
    assert (entry.name, entry.size) == (SPOOLED, 7)


def test_other_object_missing_after_the_copy_is_reported(source):
    with pytest.raises(VerificationError, match="is missing in the target"):
        objects.copy(source, Replaying(), ATTACHED)


def test_object_deleted_while_it_is_read_is_not_found(source):
    late = Late()
    late.save(SPOOLED, ContentFile(b"content"))
    assert objects.copy(late, InMemoryStorage(), SPOOLED) is None
