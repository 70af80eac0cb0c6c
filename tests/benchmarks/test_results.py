import json

import pytest

from tests.benchmarks.results import Result, keep


def test_a_figure_is_the_median_of_its_rounds():
    assert Result("capture", "16 clients", [0.2, 9.0, 0.7]).value == 0.7


@pytest.mark.parametrize(
    ("bounds", "passes"),
    [
        ({}, None),
        ({"at_least": 2.0}, True),
        ({"at_least": 2.1}, False),
        ({"at_most": 2.0}, True),
        ({"at_most": 1.9}, False),
        ({"at_most": 0.0}, False),
    ],
)
def test_value_equal_to_the_target_passes(bounds, passes):
    assert Result("capture", "16 clients", [2.0], **bounds).passes is passes


def test_stored_results_record_whether_targets_passed(tmp_path):
    path = tmp_path / "bench" / "latest.json"
    keep([Result("capture", "16 clients", [1.0, 3.0, 2.0], at_least=2.5)], path)
    (kept,) = json.loads(path.read_text())["results"]
    assert (kept["value"], kept["passes"], kept["rounds"]) == (2.0, False, [1.0, 3.0, 2.0])
