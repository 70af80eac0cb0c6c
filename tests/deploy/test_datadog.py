import json
import re
from itertools import product

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.policy.network import Place, allowed, our_places
from tests.deploy import manifests, planted

ROLES = ["web", "web-capture", "worker", "delivery", "beat"]
AGENT = Place("datadog", namespace="datadog")
README = (manifests.ROOT / "deploy/monitoring/README.md").read_text()
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("datadog")
    return manifests.combined({"external-secrets", "datadog", "capture-isolated"}, folder / "one")


def template(objects, name):
    return planted.find(objects, f"Deployment/{name}")["spec"]["template"]


def check(objects, name):
    found = template(objects, name)
    container = found["spec"]["containers"][0]["name"]
    text = found["metadata"]["annotations"][f"ad.datadoghq.com/{container}.checks"]
    (instance,) = json.loads(text)["openmetrics"]["instances"]
    return instance


def metric_name(instance, name):
    """What the check calls a metric; its prefix goes before anything else is looked at."""
    own = name.removeprefix(instance["raw_metric_prefix"])
    wanted = any(re.search(pattern, own) for pattern in instance["metrics"])
    if wanted and not any(re.search(pattern, own) for pattern in instance["exclude_metrics"]):
        return f"{instance['namespace']}.{own}"
    return None


@pytest.mark.parametrize("name", ROLES)
def test_the_agent_scrapes_each_role_where_it_answers(objects, name):
    port = template(objects, name)["spec"]["containers"][0]["ports"][0]["containerPort"]
    assert check(objects, name)["openmetrics_endpoint"] == f"http://%%host%%:{port}/metrics"


@pytest.mark.parametrize("name", ROLES)
def test_agent_collects_only_leadgen_metrics(objects, name, client):
    text = client.get("/metrics").text
    found = {family.name for family in text_string_to_metric_families(text)}
    kept = {each for each in found if metric_name(check(objects, name), each)}
    assert kept == {each for each in found if each.startswith("leadgen_")} != found


@pytest.mark.parametrize("name", ROLES)
def test_agent_gets_the_token_as_one_value(objects, name):
    value = check(objects, name)["headers"]["Authorization"]
    ((secret, key),) = re.findall(r"^ENC\[k8s_secret@%%kube_namespace%%/([\w-]+)/(\w+)\]$", value)
    made = planted.find(objects, f"ExternalSecret/{secret}")["spec"]["target"]["template"]["data"]
    assert made[key] == f"Bearer {made['METRICS_TOKEN']}"


@pytest.mark.parametrize("name", ROLES)
def test_logs_and_metrics_of_each_role_name_the_same_service(objects, name):
    metadata = template(objects, name)["metadata"]
    assert metadata["labels"]["tags.datadoghq.com/service"] == "leadgen"
    logs = next(value for key, value in metadata["annotations"].items() if key.endswith(".logs"))
    assert json.loads(logs)[0]["service"] == "leadgen"


@pytest.mark.parametrize("name", ROLES)
def test_every_label_used_as_a_tag_exists(objects, name):
    (told,) = re.findall(r"podLabelsAsTags: \{(.*)\}", README)
    tags = dict(pair.split(": ") for pair in told.split(", "))
    assert set(tags.values()) == {"env", "team", "version"}
    assert set(tags) <= set(template(objects, name)["metadata"]["labels"])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("leadgen_spool_depth", "leadgen.spool_depth"),
        ("leadgen_requests_total", "leadgen.requests.count"),
        ("leadgen_intake_batch_duration_seconds", "leadgen.intake_batch_duration_seconds"),
    ],
)
def test_page_lists_the_metric_names_of_the_agent(objects, ours, theirs):
    assert f"| `{ours}` | `{theirs}" in README
    family = ours.removesuffix("_total")
    assert metric_name(check(objects, "web"), family) == theirs.removesuffix(".count")


def test_agent_reaches_roles_and_receives_their_traces(objects):
    ours = our_places(objects)
    pairs = product(ours, (8000, 9100))
    asked = {p.name: port for p, port in pairs if allowed(objects, AGENT, p, port)}
    others = dict.fromkeys(("worker", "delivery", "beat"), 9100)
    assert asked == {"web": 8000, "web-capture": 8000, **others}
    assert {p.name for p in ours if allowed(objects, p, AGENT, 4318)} == {
        "web",
        "web-capture",
        "worker",
        "delivery",
    }
