import pytest

from leadgen.accounts.models import User


@pytest.fixture
def browse(client):
    """Return a function that logs a user in and returns the client."""

    def log_in(user: User):
        client.force_login(user)
        return client

    return log_in
