from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from prometheus_client import REGISTRY

from leadgen.accounts.models import LoginCounter

PASSWORD = "secret-word"  # what tests.factories.make_user sets


@dataclass
class Visitor:
    """A browser at one address."""

    client: Client
    address: str

    def log_in(self, email: str, password: str = PASSWORD, **more: Any) -> Any:
        data = {"login": email, "password": password, **more}
        return self.client.post("/login", data, REMOTE_ADDR=self.address)

    def fail(self, email: str, times: int = 1) -> list[int]:
        return [self.log_in(email, "wrong").status_code for _ in range(times)]


@pytest.fixture
def visitor():
    return lambda address="192.0.2.7": Visitor(Client(), address)


@pytest.fixture
def counted():
    """How often a log-in ended with an outcome since the test began."""

    def now(outcome: str) -> float:
        return REGISTRY.get_sample_value("leadgen_logins_total", {"outcome": outcome}) or 0

    before = {name: now(name) for name in ("succeeded", "failed", "limited", "busy", "unavailable")}
    return lambda outcome: now(outcome) - before[outcome]


@pytest.fixture
def age():
    """Let what has been counted so far have happened so many seconds earlier."""

    def make_older(seconds: int) -> None:
        for row in LoginCounter.objects.all():
            row.attempts = [at - timedelta(seconds=seconds) for at in row.attempts]
            row.expires_at -= timedelta(seconds=seconds)
            row.save()

    return make_older
