import pytest

from deploy.policy import kubernetes, workloads
from leadgen.processes import gunicorn_config
from tests.deploy import planted

CASES = [
    pytest.param(rule, fault, id=f"{rule}-{place}")
    for rule, faults in planted.FAULTS.items()
    for place, fault in enumerate(faults)
]


@pytest.mark.parametrize(("rule", "fault"), CASES)
def test_planted_fault_is_found_by_its_rule(rule, fault):
    objects = planted.objects()
    fault(objects)
    assert list(kubernetes.RULES[rule](objects))


def test_every_rule_has_a_planted_fault():
    assert set(planted.FAULTS) == set(kubernetes.RULES)


def test_the_time_for_requests_in_flight_is_the_servers():
    assert gunicorn_config.graceful_timeout == workloads.GRACEFUL_TIMEOUT
