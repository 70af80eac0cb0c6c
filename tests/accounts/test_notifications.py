import smtplib
import socket
from contextlib import closing
from datetime import timedelta
from io import StringIO
from threading import Barrier, Thread

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from leadgen.accounts import notifications
from leadgen.accounts.models import Notification
from leadgen.accounts.notifications import MAX_ATTEMPTS, deliver, notify, prune, wait_after
from leadgen.accounts.tasks import deliver as deliver_task
from leadgen.events.consumers import consume
from leadgen.events.services import emit
from leadgen.pipeline import HANDLERS, NOTIFICATION_BUILDERS
from tests.factories import make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)


class MailServer:
    """A fake mail server: refuses connections or recipients, and records what it accepts."""

    def __init__(self):
        self.is_up = True
        self.refused = set()
        self.connections = 0
        self.accepted = []
        self.on_accept = lambda: None

    def connect(self):
        self.connections += 1
        if not self.is_up:
            raise ConnectionRefusedError(111, "Connection refused")

    def accept(self, message):
        if self.refused & set(message.to):
            reply = (550, f"no mailbox {message.to[0]}".encode())
            raise smtplib.SMTPRecipientsRefused({message.to[0]: reply})
        self.on_accept()
        self.accepted.append(message.to[0])


class Backend(BaseEmailBackend):
    server: MailServer

    def open(self):
        self.server.connect()

    def send_messages(self, messages):
        for message in messages:
            self.server.accept(message)
        return len(messages)


def build(notification):
    if notification.data.get("broken"):
        raise KeyError("ada@example.com")
    return EmailMessage("Hello", "Hello", None, [notification.recipient.email])


BUILDERS = {"test": "tests.accounts.test_notifications.build"}


@pytest.fixture
def server(settings):
    settings.NOTIFICATION_BUILDERS = "tests.accounts.test_notifications.BUILDERS"
    settings.EMAIL_BACKEND = "tests.accounts.test_notifications.Backend"
    notifications._builders.cache_clear()
    Backend.server = MailServer()
    yield Backend.server
    notifications._builders.cache_clear()


def write(count=1, **data):
    users = [make_user() for _ in range(count)]
    for user in users:
        notify(user.pk, "test", data)
    return users


def come_due():
    """Let each waiting notification's next attempt come; return the longest wait that this took."""
    rows = Notification.objects.waiting()
    waits = [row.next_at - timezone.now() for row in rows]
    rows.update(next_at=Now())
    return max(waits)


def state():
    return Notification.objects.get().state


def test_waiting_notification_is_sent_once(server):
    (user,) = write()
    assert (deliver(), deliver()) == (1, 0)
    assert server.accepted == [user.email]
    row = Notification.objects.get()
    assert (row.state, row.attempts) == ("sent", 1)
    assert row.sent_at


def test_mail_is_sent_after_a_day_without_the_server(server):
    (user,) = write()
    server.is_up, passed = False, timedelta()
    while passed < timedelta(days=1):
        assert deliver() == 0
        passed += come_due()
    assert state() == "waiting"
    server.is_up = True
    deliver()
    assert server.accepted == [user.email]


def test_unavailable_server_delays_no_handler(server):
    server.is_up = False
    team, seen = make_team(), []
    write(3)
    emit("team.added", team)
    deliver_task()
    consume("reader", {"team.added": lambda event: seen.append(event.kind)})
    assert seen == ["team.added"]


def test_unavailable_server_counts_one_attempt_per_batch(server):
    users = write(5)
    server.is_up = False
    deliver()
    assert server.connections == 1
    assert sorted(Notification.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]
    server.is_up = True
    come_due()
    deliver()
    assert sorted(server.accepted) == sorted(user.email for user in users)


def test_refused_recipient_delays_no_other_mail(server):
    refused, other = write(2)
    server.refused = {refused.email}
    assert deliver() == 2
    assert server.accepted == [other.email]
    assert Notification.objects.waiting().get().recipient == refused


def test_error_is_stored_without_the_address(server):
    (user,) = write()
    server.refused = {user.email}
    deliver()
    assert Notification.objects.get().error == "SMTPRecipientsRefused 550"


def test_broken_builder_is_retried_and_delays_no_other_mail(server):
    write(broken=True)
    (other,) = write()
    deliver()
    assert server.accepted == [other.email]
    assert Notification.objects.waiting().get().error == "KeyError"


def test_notification_is_parked_after_the_last_attempt(server):
    (user,) = write()
    server.is_up = False
    Notification.objects.update(attempts=MAX_ATTEMPTS - 1)
    deliver()
    assert state() == "parked"
    server.is_up = True
    deliver()
    assert server.accepted == []
    call_command("retry_notifications", stdout=StringIO())
    deliver()
    assert server.accepted == [user.email]


def test_waits_grow_to_an_hour_and_last_for_days():
    waits = [wait_after(attempts) for attempts in range(1, MAX_ATTEMPTS)]
    assert waits[:3] == [timedelta(minutes=minutes) for minutes in (1, 2, 4)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=1)
    assert timedelta(days=3) < sum(waits, timedelta()) < timedelta(days=5)


def test_two_workers_send_each_mail_once(server):
    users = write(30)
    start = Barrier(2)

    def work():
        start.wait(10)
        deliver_task()
        connection.close()

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sorted(server.accepted) == sorted(user.email for user in users)


def test_second_worker_skips_mail_that_is_being_sent(server):
    write()
    server.on_accept = lambda: server.claimed.append(deliver())
    server.claimed = []
    deliver()
    assert server.claimed == [0]
    assert len(server.accepted) == 1


def test_mail_of_a_worker_that_ended_is_sent_after_its_lease(server):
    (user,) = write()

    def end():
        raise SystemExit

    server.on_accept = end
    with pytest.raises(SystemExit):
        deliver()
    server.on_accept = lambda: None
    assert deliver() == 0
    come_due()
    deliver()
    assert server.accepted == [user.email]


def test_late_result_of_a_former_lease_changes_nothing(server):
    write()
    server.on_accept = lambda: Notification.objects.update(attempts=2)
    deliver()
    assert state() == "waiting"


@pytest.mark.parametrize("change", ["inactive", "expired"])
def test_unwanted_notification_is_dropped(server, change):
    (user,) = write()
    if change == "inactive":
        type(user).objects.filter(pk=user.pk).update(is_active=False)
    else:
        Notification.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    deliver()
    assert (state(), server.accepted) == ("dropped", [])


def test_same_event_notifies_a_person_once():
    event, user = emit("team.added", make_team()), make_user()
    for _ in range(2):
        notify(user.pk, "test", {}, event=event)
    assert Notification.objects.count() == 1


@pytest.mark.parametrize(
    ("ended", "days", "left"),
    [("sent", 91, 0), ("parked", 91, 0), ("waiting", 91, 1), ("sent", 89, 1)],
)
def test_ended_notification_is_deleted_after_ninety_days(ended, days, left):
    write()
    Notification.objects.update(state=ended, created_at=Now() - timedelta(days=days))
    prune()
    assert Notification.objects.count() == left


def test_every_notification_of_a_handler_has_a_builder():
    notifications._builders.cache_clear()
    builders = notifications._builders()
    assert all(callable(build) for build in builders.values())
    assert set(NOTIFICATION_BUILDERS) <= {kind for kinds in HANDLERS.values() for kind in kinds}


def test_unavailable_smtp_server_is_retried_later(settings):
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = unused.getsockname()
        write()
        settings.NOTIFICATION_BUILDERS = "tests.accounts.test_notifications.BUILDERS"
        notifications._builders.cache_clear()
        assert deliver() == 0
    row = Notification.objects.get()
    assert (row.state, row.attempts, row.error) == ("waiting", 1, "ConnectionRefusedError")
    notifications._builders.cache_clear()
