import pytest
import yaml

from tests.deploy.promql import dashboards, panels, promtool, queries


@pytest.mark.parametrize("name", dashboards())
def test_a_dashboard_can_be_provisioned(name):
    told = dashboards()[name]
    assert told["uid"] == f"leadgen-{name}"
    assert told["schemaVersion"] >= 39
    assert [entry["name"] for entry in told["templating"]["list"]] == ["datasource", "namespace"]
    assert len({panel["id"] for panel in told["panels"]}) == len(told["panels"]) >= 8


@pytest.mark.parametrize("panel", list(panels()), ids=lambda panel: panel["title"])
def test_panels_use_the_chosen_data_source_and_namespace(panel):
    for part in (panel, *panel["targets"]):
        assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert all("$namespace" in t["expr"] or "certmanager" in t["expr"] for t in panel["targets"])


@pytest.mark.parametrize("name", dashboards())
def test_the_panels_of_a_dashboard_do_not_overlap(name):
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in dashboards()[name]["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24


def test_prometheus_can_read_every_panels_expression(tmp_path):
    plain = [q.replace("$__rate_interval", "5m").replace("$namespace", ".*") for q in queries()]
    told = [{"record": f"a:b{place}", "expr": each} for place, each in enumerate(plain)]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "a", "rules": told}]}))
    done = promtool("check", "rules", path)
    assert done.returncode == 0, done.stderr
