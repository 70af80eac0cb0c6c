"""Forms are known before anybody asks for them."""

import asyncio
import json

import pytest

from leadgen.capture.errors import DatabaseUnavailableError
from leadgen.edge.forms.form_cache import FormCache
from leadgen.edge.forms.form_preloader import FormPreloader
from leadgen.edge.read_pool import ReadPool
from leadgen.forms.services import unpublish
from tests.factories import DEFINITION, make_form

pytestmark = pytest.mark.django_db(transaction=True)


class Switched(ReadPool):
    """The real database with a switch; counts its answers."""

    is_away = False
    answered = 0

    async def fetch(self, statement, values):
        if self.is_away:
            raise DatabaseUnavailableError
        rows = await super().fetch(statement, values)
        self.answered += 1
        return rows


@pytest.fixture
def run():
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def database(run):
    made = Switched()
    yield made
    run(made.close())


@pytest.fixture
def forms(database):
    return FormCache(database, max_age=0, stale_timeout=1.0)


@pytest.fixture
def preloader(database, forms):
    return FormPreloader(database, forms, pause=0.01, retry=0.01)


def test_preloaded_form_is_served_during_an_outage(run, database, forms, preloader):
    form = make_form()
    run(preloader.refresh())
    database.is_away = True
    found = [run(forms.by_slug(form.slug)), run(forms.by_public_id(form.public_id))]
    assert {each.version_id for each in found} == {form.published_id}
    assert json.loads(found[0].document)["definition"] == DEFINITION.to_json()
    assert "Talk to sales" in found[0].page


def test_preloaded_form_is_looked_up_again_when_requested(run, forms, preloader):
    form = make_form(allowed_origins="https://a.example")
    run(preloader.refresh())
    type(form).objects.update(allowed_origins="https://b.example")
    assert run(forms.by_slug(form.slug)).origins == {"https://b.example"}


def test_refresh_adds_published_and_removes_unpublished_forms(run, database, forms, preloader):
    gone = make_form()
    run(preloader.refresh())
    run(forms.by_slug(gone.slug))
    added = make_form()
    unpublish(gone, actor=None)
    run(preloader.refresh())
    database.is_away = True
    assert run(forms.by_slug(added.slug)).version_id == added.published_id
    with pytest.raises(DatabaseUnavailableError):
        run(forms.by_slug(gone.slug))


def test_unknown_address_is_found_after_publishing(run, database, forms, preloader):
    assert run(forms.by_slug("late")) is None
    make_form(slug="late")
    run(preloader.refresh())
    database.is_away = True
    assert run(forms.by_slug("late")).slug == "late"


def test_only_the_latest_forms_are_preloaded(run, database):
    made = [make_form() for _ in range(5)]
    forms = FormCache(database, max_entries=3)
    run(FormPreloader(database, forms).refresh())
    database.is_away = True
    for form in made[2:]:
        assert run(forms.by_slug(form.slug)).slug == form.slug
    with pytest.raises(DatabaseUnavailableError):
        run(forms.by_slug(made[1].slug))


def test_preload_is_retried_until_the_database_is_available(run, database, forms, preloader):
    async def story():
        preloader.open()
        await asyncio.sleep(0.05)
        database.is_away = False
        async with asyncio.timeout(10):
            while not database.answered:
                await asyncio.sleep(0.01)
        database.is_away = True
        preloader.close()

    slug = make_form().slug
    database.is_away = True
    run(story())
    assert run(forms.by_slug(slug)).slug == slug
