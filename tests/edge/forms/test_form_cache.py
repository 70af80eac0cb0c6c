import asyncio

import pytest

from leadgen.capture.errors import DatabaseUnavailableError
from leadgen.edge.forms.form_cache import FormCache
from leadgen.edge.read_pool import ReadPool as RealDatabase
from tests.factories import DEFINITION


class Database(RealDatabase):
    """Holds one form; ``gate`` holds its answers up, ``is_away`` makes it fail."""

    def __init__(self):
        super().__init__()
        self.asked = 0
        self.is_away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self, statement, values):
        self.asked += 1
        await self.gate.wait()
        if self.is_away:
            raise DatabaseUnavailableError
        if values[0] not in ("talk", "pub"):
            return []
        return [(1, "pub", "talk", "https://a.example\n", 7, 1, DEFINITION.to_json())]


@pytest.fixture
def run():
    with asyncio.Runner() as runner:
        yield runner.run


def test_cached_form_is_queried_once_within_its_lifetime(run):
    async def story():
        database = Database()
        forms = FormCache(database, max_age=60)
        found = [await forms.by_slug("talk") for _ in range(3)]
        return found, database.asked

    found, asked = run(story())
    assert {form.version_id for form in found} == {7}
    assert found[0].origins == {"https://a.example"}
    assert asked == 1


def test_concurrent_visitors_share_one_look_up(run):
    async def story():
        database = Database()
        forms = FormCache(database, max_age=60)
        await asyncio.gather(*(forms.by_slug("talk") for _ in range(100)))
        return database.asked

    assert run(story()) == 1


def test_cancelled_visitor_does_not_cancel_the_shared_loader(run):
    async def story():
        database = Database()
        database.gate.clear()
        forms = FormCache(database, max_age=60)
        first, second = (asyncio.create_task(forms.by_slug("talk")) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        database.gate.set()
        return await second

    assert run(story()).slug == "talk"


@pytest.mark.parametrize("fault", ["away", "hanging"])
def test_a_form_is_served_stale_while_the_database_is(run, fault):
    async def story():
        database = Database()
        forms = FormCache(database, max_age=0, stale_timeout=0.01)
        await forms.by_slug("talk")
        database.is_away = fault == "away"
        if fault == "hanging":
            database.gate.clear()
        stale = await forms.by_slug("talk")
        database.gate.set()
        return stale

    assert run(story()).slug == "talk"


def test_uncached_form_raises_without_a_database(run):
    async def story():
        database = Database()
        database.is_away = True
        await FormCache(database).by_slug("talk")

    with pytest.raises(DatabaseUnavailableError):
        run(story())


def test_unknown_form_is_cached(run):
    async def story():
        database = Database()
        forms = FormCache(database, max_age=60)
        return [await forms.by_slug("nowhere") for _ in range(3)], database.asked

    assert run(story()) == ([None] * 3, 1)


@pytest.mark.parametrize("slug", ["", "a b", "a" * 81, "ä", "a\x00", "../x"])
def test_an_impossible_address_never_reaches_the_database(run, slug):
    async def story():
        database = Database()
        return await FormCache(database).by_slug(slug), database.asked

    assert run(story()) == (None, 0)


def test_a_scanner_pushes_no_form_out_of_the_bounded_memory(run):
    async def story():
        database = Database()
        forms = FormCache(database, max_age=60, max_entries=2)
        await forms.by_slug("talk")
        for number in range(20):
            await forms.by_slug(f"guess-{number}")
        before = database.asked
        await forms.by_slug("talk")
        await forms.by_slug("guess-19")
        await forms.by_slug("guess-0")
        return database.asked - before

    assert run(story()) == 1
