import json
import os
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from leadgen.demo import organisation
from tests.deploy.engine import MAKE_FORM, Deployment, eventually
from tests.faults.load import loading
from tests.flows.conftest import browser as browser

pytestmark = [pytest.mark.image, pytest.mark.xdist_group("image")]

OURS = {"web", "worker", "delivery", "beat"}
EVERYTHING = ("--profile", "demo", "--profile", "watch")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    made = Deployment(tmp_path_factory.mktemp("compose"))
    made.compose(*EVERYTHING, "down", "--volumes", "--timeout=1")
    try:
        made.compose("--profile", "demo", "up", "--detach", "--wait")
        eventually(lambda: all(made.is_healthy(service) for service in OURS), seconds=120)
        yield made
    finally:
        made.compose(*EVERYTHING, "down", "--volumes", "--timeout=10")


@pytest.fixture(scope="module")
def public_id(deployment):
    return deployment.python(MAKE_FORM).splitlines()[-1]


def test_a_visitors_form_is_a_lead_in_the_admin(deployment, browser):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{deployment.url}/f/contact?utm_source=newsletter")
    page.get_by_label("Your name").fill("Ada Example")
    page.get_by_label("Work email").fill("ada@example.com")
    page.get_by_label("How can we help?").fill("Forty seats, please.")
    page.get_by_role("checkbox").check()
    page.wait_for_timeout(2_100)  # a person takes longer than the screening's two seconds
    page.get_by_role("button", name="Send message").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    page.goto(f"{deployment.url}/admin/login/")
    page.get_by_label("Email").fill(organisation.ADMIN)
    page.get_by_label("Password", exact=True).fill(organisation.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{deployment.url}/admin/")
    eventually(lambda: deployment.balance()["places"]["waiting"] == 0, seconds=60)
    page.goto(f"{deployment.url}/admin/leads/lead/?q=ada@example.com")
    page.get_by_role("link", name="Ada Example").first.click()
    expect(page.locator("body")).to_contain_text("Forty seats, please.", use_inner_text=True)


SERVICES = ["balancer", "web", "worker", "delivery", "beat", "postgres", "rabbitmq", "seaweedfs"]
AWAY = {"balancer", "web"}


@pytest.mark.parametrize("service", SERVICES)
def test_service_stopped_under_load_loses_no_submission(deployment, public_id, service):
    with loading(deployment.url, public_id, visitors=4) as load:
        load.until(receipts=50, seconds=60)
        deployment.compose("stop", service)
        ended = deployment.state(service)
        if service not in AWAY:
            load.until(receipts=50, seconds=60)
        deployment.compose("start", service)
        eventually(lambda: deployment.is_healthy(service), seconds=120)
        load.until(receipts=50, seconds=60)
    assert ended["ExitCode"] == 0
    # A client that finds a closed port gets neither an answer nor a receipt.
    assert service == "balancer" or load.failed == 0
    assert load.without_retry_after == 0
    eventually(lambda: waits(deployment) == 0, seconds=120)
    ledger = deployment.ledger()
    assert len(ledger) == len(set(ledger))
    assert set(load.receipts) - set(ledger) == set()
    assert deployment.balance()["unaccounted"] == 0


KEPT = ("balancer", "postgres", "rabbitmq", "seaweedfs")


def containers(deployment, *names):
    return {name: deployment.compose("ps", "--quiet", name).strip() for name in names}


def test_upgrade_under_load_leaves_no_post_without_answer(deployment, public_id):
    kept, web = containers(deployment, *KEPT), containers(deployment, "web")
    with loading(deployment.url, public_id, visitors=10, rate=10) as load:
        load.until(receipts=50, seconds=60)
        deployment.upgrade()
        load.until(receipts=50, seconds=60)
    assert containers(deployment, *KEPT) == kept
    assert containers(deployment, "web") != web
    assert load.failed == 0
    assert load.longest_gap <= 5
    eventually(lambda: waits(deployment) == 0, seconds=120)
    assert set(load.receipts) - set(deployment.ledger()) == set()
    assert deployment.balance()["unaccounted"] == 0


# As before the balancer: web owns the port, and PostgreSQL is defined otherwise.
LEGACY = {
    "balancer": {"profiles": ["later"]},
    "web": {"ports": ["127.0.0.1:${PORT}:8000"]},
    "postgres": {"environment": {"LAYOUT": "before"}},
}


def test_upgrade_moves_the_port_from_web_to_the_balancer(deployment, tmp_path):
    legacy = tmp_path / "legacy.yml"
    legacy.write_text(json.dumps({"services": LEGACY}))
    files = deployment.environment()["COMPOSE_FILE"]
    deployment.compose("rm", "--stop", "--force", "balancer")
    deployment.variables["COMPOSE_FILE"] = f"{files}{os.pathsep}{legacy}"
    deployment.compose("up", "--detach", "--wait")
    deployment.variables["COMPOSE_FILE"] = files
    kept = containers(deployment, "postgres", "rabbitmq", "seaweedfs")
    deployment.upgrade()
    assert containers(deployment, "postgres", "rabbitmq", "seaweedfs") == kept
    assert deployment.is_healthy("balancer")
    assert deployment.answers()
    assert all(deployment.is_healthy(service) for service in OURS)


def test_restore_into_a_new_deployment_has_every_submission(deployment, tmp_path):
    """The commands of deploy/docs/compose.md, Backup and restore on a single server."""
    manage = ("run", "--rm", "--no-deps", "web", "python", "manage.py")
    printed = deployment.compose(*manage, "backup", "--make-key").split()
    deployment.variables |= dict(line.split("=", 1) for line in printed)
    deployment.variables |= {"BACKUP_FOLDER": str(tmp_path), "COMPOSE_PROFILES": "backup"}
    deployment.compose("up", "--detach", "--wait")
    deployment.compose("run", "--rm", "backup", "python", "manage.py", "backup")
    ledger = deployment.ledger()
    deployment.compose("down", "--volumes", "--timeout=10")
    said = deployment.compose("run", "--rm", "--env", "BACKUP_IDENTITY", "restore")
    assert "Every submission is accounted for." in said
    deployment.compose("up", "--detach", "--wait")
    assert sorted(deployment.ledger()) == sorted(ledger)
    assert deployment.balance()["unaccounted"] == 0
    assert "ok    backup" in deployment.compose(
        "exec", "-T", "web", "python", "manage.py", "doctor"
    )


def waits(deployment):
    balance = deployment.balance()
    return balance["places"]["waiting"] + balance["spooled"]


def test_prometheus_scrapes_every_role_and_loads_the_rules(deployment):
    deployment.compose("--profile", "watch", "up", "--detach", "prometheus")
    eventually(lambda: deployment.is_healthy("prometheus"), seconds=60)
    eventually(lambda: target_health(deployment) == dict.fromkeys(OURS, "up"), seconds=120)
    groups = ask(deployment, "rules")["groups"]
    assert "leadgen-roles" in {group["name"] for group in groups}


def target_health(deployment):
    targets = ask(deployment, "targets")["activeTargets"]
    ours = [target["labels"] | target for target in targets if target["labels"]["job"] == "leadgen"]
    return {target["role"]: target["health"] for target in ours}


def ask(deployment, question):
    with urlopen(f"http://127.0.0.1:{deployment.prometheus}/api/v1/{question}") as answer:
        return json.load(answer)["data"]


def test_a_second_start_keeps_secrets_and_data(deployment):
    before = deployment.query("SELECT count(*) FROM capture_submission")
    deployment.compose(*EVERYTHING, "down")
    deployment.compose("up", "--detach")
    eventually(deployment.answers, seconds=180)
    assert deployment.query("SELECT count(*) FROM capture_submission") == before
