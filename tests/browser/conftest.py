"""A web process and one page in each engine, with JavaScript and without."""

import os

import pytest

from tests.browser.engines import ENGINES, open_page
from tests.stack import database_url, running


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker, tmp_path_factory):
    """The web role on this worker's database."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "broker").mkdir()
    with django_db_blocker.unblock():
        url = database_url()
    backends = {
        "DATABASE_URL": url,
        "BROKER_URL": f"filesystem://{folder}/broker",
        "STORAGE_URL": f"file://{folder}/storage",
        "WEB_CONCURRENCY": "1",
        # All browsers post from one address, and a flood is not what these tests are about.
        "CAPTURE_FLOOD_PER_MINUTE": "1000000",
    }
    with running(folder, backends, roles=("web",)) as stack:
        yield stack.url


@pytest.fixture(
    scope="module", params=[f"{engine}-{js}" for engine in ENGINES for js in ("js", "")]
)
def browser(request, tmp_path_factory, browsers):
    """A page in one engine, and whether it runs scripts."""
    engine, _, javascript = request.param.partition("-")
    # Playwright keeps an event loop in this thread, which Django takes for a server's.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    folder = tmp_path_factory.mktemp(engine)
    with open_page(engine, folder, javascript=bool(javascript)) as page:
        yield page, engine, bool(javascript)
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(browser):
    return browser[0]
