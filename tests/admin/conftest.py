import pytest

from leadgen.accounts.models import User


@pytest.fixture
def browse(client):
    """Log somebody in; returns the client."""

    def log_in(user: User):
        client.force_login(user)
        return client

    return log_in
