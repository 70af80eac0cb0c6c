import shutil
import tempfile
from pathlib import Path

import pytest

from dev import postgres, rabbitmq, seaweedfs, state, unprivileged
from tests.faults.parts import Part, Server
from tests.faults.system import System, environment
from tests.stack import running


@pytest.fixture(scope="module")
def folder():
    # Not tmp_path: PostgreSQL may run as another user, who must be able to enter.
    made = Path(tempfile.mkdtemp(prefix="leadgen-faults-"))
    made.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        for module in (state, postgres, unprivileged, rabbitmq, seaweedfs):
            patch.setattr(module, "VAR", made)
        recall, keep = state.remembered, state.remember
        patch.setattr(postgres, "remembered", lambda key, other: recall(key, other, made))
        patch.setattr(postgres, "remember", lambda key, value: keep(key, value, made))
        yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def server(folder):
    """PostgreSQL."""
    made = Server(folder / "pg")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def broker(folder):
    """RabbitMQ."""
    if not rabbitmq.is_installed():
        pytest.skip("signals RabbitMQ's processes, which a container hides")
    with rabbitmq.node("rabbitmq") as node:
        made = Part(node)
        made.start()
        yield made
        made.stop()


@pytest.fixture(scope="module")
def storage(folder):
    """SeaweedFS."""
    made = Part(seaweedfs.node("seaweedfs"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def backends(folder):
    """Broker and storage: folders, unless a module says otherwise."""
    for name in ("broker", "storage"):
        (folder / name).mkdir()
    return {
        "BROKER_URL": f"filesystem://{folder}/broker",
        "STORAGE_URL": f"file://{folder}/storage",
    }


@pytest.fixture(scope="module")
def system(server, backends, folder):
    """A migrated database with a form on the air, and folders for the rest."""
    made = System(server, environment(server, backends), folder / "storage")
    made.prepare()
    return made


@pytest.fixture(scope="module")
def roles(system, folder):
    """Web, worker and beat; a test that ends one starts it again."""
    with running(folder, system.environment) as started:
        yield started


@pytest.fixture
def figures(request):
    """What a test measures: a row in the table at the end."""
    measured: dict[str, object] = {}
    yield measured
    if measured:
        request.node.user_properties.append(("figures", measured))


def pytest_terminal_summary(terminalreporter):
    """Print what the drills measured, a line for each."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    rows = [
        (report.nodeid.rpartition("::")[2], value)
        for report in reports
        if getattr(report, "when", "") == "teardown"
        for name, value in report.user_properties
        if name == "figures"
    ]
    if rows:
        terminalreporter.section("drills")
    for drill, measured in sorted(rows):
        told = "  ".join(f"{name} {_short(value)}" for name, value in measured.items())
        terminalreporter.write_line(f"{drill}\n    {told}")


def _short(value):
    return f"{value:.1f}" if isinstance(value, float) else value
