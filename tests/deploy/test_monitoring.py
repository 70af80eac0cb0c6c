import re
import shutil
import subprocess
from datetime import timedelta

import pytest
import yaml
from django.utils import timezone

from dev import rules as dev_rules
from leadgen.events.models import Cursor, ParkedEvent
from leadgen.events.services import emit
from leadgen.operations.models import Backup
from leadgen.operations.tasks import measure
from tests.deploy import planted
from tests.deploy.manifests import ROOT
from tests.deploy.promql import FOREIGN, MONITORING, names, promtool, queries, rules
from tests.factories import make_team

ALERTS = [rule for rule in rules() if "alert" in rule]
CASES = [
    case
    for path in sorted((MONITORING / "tests").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())["tests"]
]
BASE = ALERTS[0]["annotations"]["runbook_url"].partition("deploy/monitoring/")[0]


def answers(alert):
    """How often each case sees the alert firing, moment by moment."""
    asked = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    for case in CASES:
        told = [q for q in case.get("promql_expr_test", []) if q["expr"] == asked]
        yield [bool(q["exp_samples"]) for q in told]


@pytest.fixture
def exported(client, transactional_db):
    """The name of each time series that a deployment at work tells of."""
    event = emit("team.added", make_team())
    Cursor.objects.create(consumer="notifications")
    ParkedEvent.objects.create(consumer="notifications", event=event, error="no")
    at = timezone.now() - timedelta(hours=1)
    Backup.objects.create(
        name="a", at=at, rows=1, objects_count=0, size=1, seconds=1, checked_at=at
    )
    measure()
    text = client.get("/metrics").content.decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    parts = {"histogram": ["_bucket", "_sum", "_count"], "summary": ["_sum", "_count"]}
    return {name + part for name, kind in kinds.items() for part in parts.get(kind, [""])}


def test_prometheus_accepts_the_rules():
    done = promtool("check", "rules", *(MONITORING / "rules").glob("*.yaml"))
    assert done.returncode == 0, done.stderr


def test_the_rules_pass_their_own_tests():
    done = promtool("test", "rules", *(MONITORING / "tests").glob("*.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_pass_their_tests_with_another_base_url(tmp_path):
    (line,) = re.findall(r"^    (sed .*)$", (MONITORING / "README.md").read_text(), re.M)
    here = shutil.copytree(MONITORING, tmp_path / "monitoring")
    command = line.replace("…", "https://git.example.org/ours")
    subprocess.run(["bash", "-c", command], cwd=here, check=True)
    assert "git.example.com" not in "".join(p.read_text() for p in (here / "rules").iterdir())
    done = promtool("test", "rules", *(here / "tests").glob("*.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", [rule["alert"] for rule in ALERTS])
def test_alert_fires_and_clears_in_its_tests(alert):
    seen = list(answers(alert))
    assert any(case[-2:] == [True, False] for case in seen)
    assert any(case[:2] == [False, True] for case in seen)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_alert_has_severity_texts_and_runbook(rule):
    assert rule["labels"]["severity"] in ("critical", "warning")
    told = rule["annotations"]
    assert set(told) == {"summary", "description", "runbook_url"}
    assert re.search(r"\$value|\d", told["description"])


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_the_runbook_of_an_alert_is_here(rule):
    url = rule["annotations"]["runbook_url"]
    path, _, heading = url.removeprefix(BASE).partition("#")
    text = (ROOT / path).read_text()
    assert heading == rule["alert"].lower()
    assert f"\n## {rule['alert']}\n" in text


def test_every_runbook_has_an_alert():
    books = "".join(path.read_text() for path in (MONITORING / "runbooks").glob("*.md"))
    assert set(re.findall(r"^## (\w+)$", books, re.M)) == {rule["alert"] for rule in ALERTS}


def test_every_metric_of_the_rules_and_dashboards_is_exported(exported):
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    wanted = set.union(*(names(rule["expr"]) for rule in rules()), *map(names, queries()))
    assert wanted - recorded - FOREIGN - exported == set()


def test_every_recorded_series_is_used():
    read = set.union(*(names(rule["expr"]) for rule in rules()), *map(names, queries()))
    assert {rule["record"] for rule in rules() if "record" in rule} <= read


@pytest.mark.parametrize(
    ("expression", "read"),
    [
        ('sum by (pod) (rate(a_total{b=~"c{2}"}[5m])) > 1e3', {"a_total"}),
        ("(x:y > 2 and on (n) up) or vector(0) * Inf", {"x:y", "up"}),
        ("histogram_quantile(0.9, sum by (le) (rate(d_bucket[$__rate_interval])))", {"d_bucket"}),
        ('label_replace(e_f, "g", "h", "i", "j")', {"e_f"}),
    ],
)
def test_the_metrics_of_an_expression_are_found(expression, read):
    assert names(expression) == read


def test_operator_gets_the_same_rules():
    assert dev_rules.OPERATOR.read_text() == dev_rules.for_the_operator()


def test_compose_scrapes_use_the_labels_of_the_rules():
    path = ROOT / "deploy/compose/prometheus.yml"
    job, machine = yaml.safe_load(path.read_text())["scrape_configs"]
    told = [target["labels"] for target in job["static_configs"]]
    assert told == [
        {"app": "leadgen", "role": role} for role in ("web", "worker", "delivery", "beat")
    ]
    (target,) = machine["static_configs"]
    assert target == {"targets": ["machine:9100"], "labels": {"app": "leadgen", "role": "machine"}}
    done = promtool("check", "config", "--syntax-only", path)
    assert done.returncode == 0, done.stderr


def test_cluster_scrapes_use_the_labels_of_the_rules():
    objects = planted.objects()
    web = planted.find(objects, "ServiceMonitor/web")["spec"]["endpoints"]
    others = planted.find(objects, "PodMonitor/roles")["spec"]["podMetricsEndpoints"]
    for endpoint in (*web, *others):
        told = {rule["targetLabel"] for rule in endpoint["relabelings"]}
        assert told == {"app", "role"}
