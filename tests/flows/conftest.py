from contextlib import closing

import pytest
from playwright.sync_api import sync_playwright

from leadgen.accounts.roles import Role
from tests import factories
from tests.stack import database_url, running


@pytest.fixture
def cloud_stack(transactional_db, tmp_path, rabbitmq_url, s3_url):
    """The same on RabbitMQ and S3, by environment variables alone."""
    backends = {
        "DATABASE_URL": database_url(),
        "BROKER_URL": rabbitmq_url,
        "STORAGE_URL": s3_url,
    }
    with running(tmp_path, backends) as stack:
        yield stack


@pytest.fixture
def rep(transactional_db):
    return factories.make_user(
        Role.SALES_REP, email="rep@example.com", name="Robin Rep", takes_leads=True
    )


@pytest.fixture
def browser(chromium, monkeypatch):
    """A real Chromium."""
    # Playwright's plain API keeps an event loop in this thread, which Django takes for a server's.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=flags)
        with closing(launched):
            yield launched


@pytest.fixture(autouse=True)
def _cheap_passwords():
    """Not here: the web process has to know the hasher."""
