import json

import pytest

from tests.deploy import manifests, planted


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("datadog")
    return manifests.combined({"datadog", "capture-isolated"}, folder / "one")


@pytest.mark.parametrize("name", ["web", "web-capture", "worker", "beat"])
def test_the_agent_scrapes_each_role_where_it_answers(objects, name):
    template = planted.find(objects, f"Deployment/{name}")["spec"]["template"]
    container = template["spec"]["containers"][0]
    text = template["metadata"]["annotations"][f"ad.datadoghq.com/{container['name']}.checks"]
    (check,) = json.loads(text)["openmetrics"]["instances"]
    port = container["ports"][0]["containerPort"]
    assert check["openmetrics_endpoint"] == f"http://%%host%%:{port}/metrics"
    assert check["metrics"] == ["leadgen_.*"]


@pytest.mark.parametrize("name", ["web", "web-capture", "worker", "beat"])
def test_logs_and_metrics_of_each_role_bear_the_same_service(objects, name):
    metadata = planted.find(objects, f"Deployment/{name}")["spec"]["template"]["metadata"]
    assert metadata["labels"]["tags.datadoghq.com/service"] == "leadgen"
    logs = next(value for key, value in metadata["annotations"].items() if key.endswith(".logs"))
    assert json.loads(logs)[0]["service"] == "leadgen"
