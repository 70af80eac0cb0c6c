import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import extract_parameters
from django.contrib.auth import hashers as django_hashers
from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from leadgen.accounts.login import hashers
from leadgen.accounts.models import LoginCounter, User
from leadgen.accounts.roles import Role
from tests.factories import make_user

OURS = [
    "leadgen.accounts.login.hashers.Argon2Hasher",
    "leadgen.accounts.login.hashers.PBKDF2Hasher",
]


@pytest.fixture(autouse=True)
def _real_passwords(settings):
    settings.PASSWORD_HASHERS = OURS


@pytest.fixture
def held():
    """Another thread that holds this process's slot until the test ends."""
    taken, release = threading.Event(), threading.Event()

    def hold():
        with hashers.hash_slot():
            taken.set()
            release.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(30)
    yield
    release.set()
    thread.join()


def old_argon2(password):
    return django_hashers.Argon2PasswordHasher().encode(password, "saltsaltsalt")


def old_pbkdf2(password):
    return django_hashers.PBKDF2PasswordHasher().encode(password, "saltsaltsalt", 1000)


def test_hash_cost_matches_the_owasp_recommendation():
    made = extract_parameters(make_password("secret-word").removeprefix("argon2"))
    assert (made.memory_cost, made.time_cost, made.parallelism) == (19 * 1024, 2, 1)
    assert made.type.name == "ID"


def test_settings_name_the_bounded_hashers():
    from leadgen import settings as production

    assert production.PASSWORD_HASHERS == OURS


def test_one_hash_runs_at_a_time(monkeypatch):
    running, most = [], []

    def encode(self, password, salt):
        running.append(1)
        most.append(len(running))
        threading.Event().wait(0.01)
        running.pop()
        return f"argon2{password}{salt}"

    monkeypatch.setattr(django_hashers.Argon2PasswordHasher, "encode", encode)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(make_password, [f"word-{n}" for n in range(16)]))
    assert (len(most), max(most)) == (16, 1)


@pytest.mark.usefixtures("held")
def test_wait_for_the_slot_ends(monkeypatch):
    monkeypatch.setattr(hashers, "MAX_WAIT_SECONDS", 0.05)
    with pytest.raises(hashers.HashingBusyError):
        make_password("secret-word")


def test_queue_for_the_slot_is_bounded(monkeypatch):
    monkeypatch.setattr(hashers, "_present", threading.BoundedSemaphore(1))
    with hashers._present, pytest.raises(hashers.HashingBusyError):
        make_password("secret-word")


def test_slot_is_free_again_after_a_fault(monkeypatch):
    def broken(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(django_hashers.Argon2PasswordHasher, "encode", broken)
        with pytest.raises(MemoryError):
            make_password("secret-word")
    assert check_password("secret-word", make_password("secret-word"))


@pytest.mark.django_db
@pytest.mark.parametrize("make", [old_argon2, old_pbkdf2])
def test_older_hash_logs_in_and_is_replaced(make, visitor):
    user = make_user(email="ada@example.com")
    User.objects.filter(pk=user.pk).update(password=make("secret-word"))
    assert visitor().log_in("ada@example.com", "wrong").status_code == 200
    assert visitor().log_in("ada@example.com").status_code == 302
    user.refresh_from_db()
    assert not identify_hasher(user.password).must_update(user.password)
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.django_db
def test_known_and_unknown_accounts_cost_one_hash(visitor, monkeypatch):
    make_user(email="ada@example.com")
    hashed = []
    run = hashers._hash

    def count(work):
        hashed.append(1)
        return run(work)

    monkeypatch.setattr(hashers, "_hash", count)
    visitor().log_in("ada@example.com", "wrong")
    assert len(hashed) == 1
    visitor().log_in("nobody@example.com", "wrong")
    assert len(hashed) == 2


@pytest.mark.django_db
def test_no_hash_is_computed_at_the_limit(visitor, monkeypatch):
    make_user(email="ada@example.com")
    visitor().fail("ada@example.com", 5)
    monkeypatch.setattr(hashers, "_hash", lambda work: pytest.fail("a password was hashed"))
    assert visitor().fail("ada@example.com") == [429]


@pytest.mark.django_db
@pytest.mark.usefixtures("held")
def test_busy_log_in_is_answered_and_not_counted_as_failure(visitor, monkeypatch, counted):
    user = User(email="ada@example.com", name="Ada")
    user.save()
    monkeypatch.setattr(hashers, "MAX_WAIT_SECONDS", 0.01)
    answers = [visitor().log_in("ada@example.com") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [503] * 6
    assert answers[0]["Retry-After"] == "3"
    assert counted("busy") == 6
    assert all(row.attempts == [] for row in LoginCounter.objects.all())


@pytest.mark.django_db
def test_busy_page_of_the_workspace_saves_nothing(client, monkeypatch):
    client.force_login(make_user(Role.ADMIN))
    monkeypatch.setattr(hashers, "_present", threading.BoundedSemaphore(1))
    data = {
        "name": "Grace Example",
        "email": "grace@example.com",
        "role": Role.SALES_REP,
        "usable_password": "true",
        "password1": "a-long-word-9182",
        "password2": "a-long-word-9182",
    }
    with hashers._present:
        answer = client.post("/admin/accounts/user/add/", data)
    assert answer.status_code == 503
    assert "nothing was saved" in answer.text
    assert not User.objects.filter(email="grace@example.com").exists()
