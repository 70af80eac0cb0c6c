import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path for path in (ROOT / "leadgen").rglob("*.py") if "migrations" not in path.parts
)


def functions():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (
                    f"{path.relative_to(ROOT)}:{node.name}",
                    (node.end_lineno or 0) - node.lineno + 1,
                )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_longer_than_300_lines(path):
    assert len(path.read_text().splitlines()) <= 300


def test_half_of_all_functions_have_at_most_8_lines():
    assert statistics.median(lines for _, lines in functions()) <= 8


def test_no_function_is_longer_than_40_lines():
    assert not {name: lines for name, lines in functions() if lines > 40}
