import pytest

from dev.ports import any_free
from leadgen.accounts.models import Notification
from leadgen.accounts.notifications import notify
from tests.factories import make_user
from tests.flows.waiting import eventually
from tests.stack import database_url, running

pytestmark = [
    pytest.mark.processes,
    pytest.mark.xdist_group("stack"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def backends(tmp_path):
    return {
        "DATABASE_URL": database_url(),
        "STORAGE_URL": f"file://{tmp_path}/storage",
        "EMAIL_URL": "console://",
        "HEARTBEAT_DIR": str(tmp_path),
    }


def write_reset(email):
    notify(make_user(email=email).pk, "user.password_reset_requested", {})


def is_sent():
    return Notification.objects.get().state == "sent"


def heartbeat(folder):
    file = folder / "leadgen-delivery.heartbeat"
    return file.read_text() if file.exists() else ""


def test_role_delivery_sends_mail_scheduled_by_beat(tmp_path, backends, rabbitmq_url):
    write_reset("ada@example.com")
    env = backends | {"BROKER_URL": rabbitmq_url}
    with running(tmp_path, env, roles=("delivery", "beat")) as stack:
        eventually(is_sent, seconds=60)
        # The log masks the address.
        eventually(lambda: "To: [email]" in stack.log("delivery"), seconds=20)
        eventually(lambda: heartbeat(tmp_path) == "running", seconds=20)


def test_role_delivery_sends_mail_without_a_broker(tmp_path, backends):
    write_reset("ada@example.com")
    env = backends | {"BROKER_URL": f"amqp://guest:guest@127.0.0.1:{any_free()}//"}
    with running(tmp_path, env, roles=("delivery",)) as stack:
        eventually(is_sent, seconds=60)
        assert "running scheduled tasks" in stack.log("delivery")
        assert heartbeat(tmp_path) == "paused"
