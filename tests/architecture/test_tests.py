"""Rules of the tests: each asserts, names state rules, folders mirror packages, fixtures."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
MODULES = sorted(
    path for path in TESTS.rglob("*.py") if "node_modules" not in path.relative_to(ROOT).parts
)
# Calls that fail by themselves when what they name does not hold.
ASSERTING = {"raises", "warns", "fail", "expect", "eventually", "until", "wait_for", "wait_for_url"}
# Fixtures of tests/conftest.py that other modules must not define again.
SHARED = {"published_form", "stack"}
# Folders of tests that have no package of leadgen.
OTHERS = {"architecture", "benchmarks", "browser", "deploy", "dev", "faults", "flows"}
# The limit of the style guide; a longer name usually states more than one rule.
MAX_NAME_LENGTH = 60
# Words that hide the subject or the verb of the rule; style guide, "Tests".
DIALECT = {
    *("anybody", "everybody", "everyone", "nobody", "nobodys", "somebody", "whoever", "whom"),
    *("ask", "asked", "asks", "hear", "hears", "let", "lets", "said", "say", "says"),
    *("tell", "tells", "told", "stand", "stands", "stood", "wish", "wishes"),
    *("came", "come", "comes", "goes", "dealt", "died", "dies", "lies", "learns"),
    *("alike", "brings", "harm", "neighbour", "neighbours", "wherever"),
}


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def name_of(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def is_asserting(function: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and asserts(name_of(node)))
        for node in ast.walk(function)
    )


def asserts(name: str) -> bool:
    return name in ASSERTING or name.startswith(("assert_", "django_assert_"))


def silent(text: str) -> list[str]:
    """Return the names of tests in the module's text that assert nothing."""
    tests = (each for each in functions(ast.parse(text)) if each.name.startswith("test_"))
    return [test.name for test in tests if not is_asserting(test)]


def unclear(text: str) -> list[str]:
    """Return the names of tests that are too long or contain a word of dialect."""
    names = [each.name for each in functions(ast.parse(text)) if each.name.startswith("test_")]
    return [name for name in names if len(name) > MAX_NAME_LENGTH or DIALECT & {*name.split("_")}]


def test_every_test_asserts():
    found = {str(path.relative_to(ROOT)): silent(path.read_text()) for path in MODULES}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("body", "names"), [("call()", ["test_it"]), ("assert call()", []), ("eventually(call)", [])]
)
def test_a_test_without_assertion_is_found(body, names):
    assert silent(f"def test_it():\n    {body}\n") == names


def test_test_names_are_short_and_without_dialect():
    found = {str(path.relative_to(ROOT)): unclear(path.read_text()) for path in MODULES}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("name", "is_unclear"),
    [
        ("test_late_row_is_processed", False),
        ("test_nobody_can_sign_up", True),
        ("test_outage_lets_users_in", True),
        ("test_storytelling_is_accepted", False),
        (f"test_{'a' * (MAX_NAME_LENGTH - 5)}", False),
        (f"test_{'a' * (MAX_NAME_LENGTH - 4)}", True),
    ],
)
def test_unclear_test_name_is_found(name, is_unclear):
    assert unclear(f"async def {name}():\n    pass\n") == [name] * is_unclear


def test_shared_fixtures_are_defined_at_the_root_only():
    places = {
        function.name: str(path.relative_to(TESTS))
        for path in MODULES
        if path != TESTS / "conftest.py"
        for function in functions(ast.parse(path.read_text()))
        if function.name in SHARED and function.decorator_list
    }
    assert places == {}


def test_folders_of_tests_mirror_the_packages():
    packages = {path.parent.name for path in (ROOT / "leadgen").glob("*/__init__.py")}
    folders = {path.parent.name for path in TESTS.glob("*/__init__.py")}
    assert folders - OTHERS == packages & folders
    assert packages - folders == set()
