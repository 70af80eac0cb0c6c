"""Counters of all packages: the same series in each role, shared by the processes of a role."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERIES = (Path(__file__).parent / "metric_series.txt").read_text().splitlines()
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "leadgen").rglob("metrics.py")
)
LIST_SERIES = """
import leadgen.celery
from prometheus_client import REGISTRY, generate_latest
for line in generate_latest(REGISTRY).decode().splitlines():
    if line.startswith("leadgen_") and "_created" not in line:
        print(line.rsplit(" ", 1)[0])
"""
LIST_MODULES = """
import sys
import leadgen.celery
print(*[name for name in sys.modules if name.endswith(".metrics")], sep=chr(10))
"""
LIST_VALUE_CLASSES = """
import importlib, sys
module = importlib.import_module(sys.argv[2])
from prometheus_client import REGISTRY
for collector in REGISTRY._names_to_collectors.values():
    if getattr(collector, "_name", "").startswith("leadgen_"):
        for child in getattr(collector, "_metrics", {}).values():
            if hasattr(child, "_value"):
                print(type(child._value).__name__)
"""


def run(code, *arguments, **variables):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split("\n")[:-1]


def test_each_role_shows_the_listed_series_from_its_start():
    assert sorted(set(run(LIST_SERIES))) == SERIES


def test_each_role_imports_the_counters_of_every_package():
    assert set(MODULES) <= set(run(LIST_MODULES))


@pytest.mark.parametrize("module", MODULES)
def test_multiprocess_mode_is_enabled_before_any_counter(module, tmp_path):
    folder = str(tmp_path / "metrics")
    values = run(
        LIST_VALUE_CLASSES, "worker", module, METRICS_PORT="1", PROMETHEUS_MULTIPROC_DIR=folder
    )
    assert set(values) == {"MmapedValue"}
