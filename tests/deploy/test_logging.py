import json
import logging
import re

import pytest

from deploy.policy.network import Place, allowed
from leadgen.operations.logs import JsonFormatter
from tests.deploy import manifests
from tests.deploy.promql import MONITORING

CONFIG = (MONITORING / "alloy/config.alloy").read_text()
OBJECTS = manifests.kustomize(MONITORING / "alloy")


def stages():
    """Pairs of expression and replacement, the escapes of Alloy's strings undone."""
    found = re.findall(r'expression = (".*")\n\s+replace    = (".*")', CONFIG)
    return [(json.loads(expression), json.loads(put)) for expression, put in found]


def redact_line(line):
    """The line as Loki gets it: what an expression captures is replaced."""
    for expression, put in stages():
        for found in re.findall(expression, line):
            line = line.replace(found, put)
    return line


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("failed for ada@example.com at 10:00", "failed for [email] at 10:00"),
        ('{"message":"to=<ada.b+c@mail.example.com>"}', '{"message":"to=<[email]>"}'),
        ("called +49 30 123 456-78 twice", "called [phone] twice"),
        ("DETAIL:  Key (email)=(x) already exists.", "DETAIL:  [left out]"),
    ],
)
def test_personal_data_is_removed_before_storage(line, kept):
    assert redact_line(line) == kept


@pytest.mark.parametrize(
    "line",
    [
        '{"ts": "2026-11-23T10:00:00.123456+00:00", "level": "INFO", "ms": 12}',
        "0198d2a1-7c3e-7b11-9f0e-2f6f2d1c9a77 was processed",
        "postgresql on 10.20.30.40:5432 answered after 1.25 s",
    ],
)
def test_data_that_is_not_personal_is_stored(line):
    assert redact_line(line) == line


def test_log_line_has_every_field_that_alloy_reads():
    record = logging.LogRecord("leadgen.leads", logging.INFO, "", 0, "done", None, None)
    line = json.loads(JsonFormatter().format(record))
    wanted = dict(re.findall(r'^      (\w+) += "(\w+)",$', CONFIG, re.M))
    assert set(wanted.values()) - set(line) == {"request_id", "trace_id"}


def test_braces_are_balanced():
    plain = re.sub(r'"(?:[^"\\]|\\.)*"|//.*', "", CONFIG)
    assert plain.count("{") == plain.count("}") > 10


def test_the_manifests_fit_their_schemas():
    assert manifests.faults(OBJECTS) == []


def test_it_needs_no_privileges():
    pod = next(o for o in OBJECTS if o["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert not any("hostPath" in volume for volume in pod["volumes"])
    namespace = next(o for o in OBJECTS if o["kind"] == "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("overlay", manifests.OVERLAYS)
def test_collector_resolves_names_as_the_application_does(overlay):
    alloy, web = Place("alloy"), Place("web")
    rendered = manifests.rendered(overlay)
    servers = (
        Place("dns", {"k8s-app": "kube-dns"}, namespace="kube-system"),
        Place("node-dns", address="169.254.20.10"),
        Place("node-dns-pod", {"k8s-app": "node-local-dns"}, namespace="kube-system"),
        Place("metadata", address="169.254.169.254"),
    )
    asked = [place for place in servers if allowed(rendered, web, place, 53)]
    assert asked
    assert all(allowed(OBJECTS, alloy, place, 53) for place in asked)


def test_it_may_read_pods_and_their_logs_and_nothing_else():
    role = next(o for o in OBJECTS if o["kind"] == "ClusterRole")
    resources = {name for rule in role["rules"] for name in rule["resources"]}
    assert resources == {"pods", "namespaces", "pods/log"}
    assert {v for rule in role["rules"] for v in rule["verbs"]} <= {"get", "list", "watch"}
