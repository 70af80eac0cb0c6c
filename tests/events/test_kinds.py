import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import leadgen
from leadgen import pipeline
from leadgen.events.kinds import KINDS, UndeclaredKindError
from leadgen.events.models import Event
from leadgen.events.services import Fact, emit, emit_many
from tests.factories import make_team

SOURCES = Path(leadgen.__file__).parent
EMITTERS = {"emit", "_emit", "Fact", "task_fact", "_emit_task"}


def texts(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def kinds_in(tree: ast.AST) -> Iterator[str]:
    """The first argument of each call that emits, and the kinds that a page lists."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in EMITTERS:
                yield from texts(node.args[0])
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "event_kinds":
            values = getattr(node.value, "values", [])
            yield from (text for value in values for text in texts(value))


def emitted() -> set[str]:
    return {
        kind for path in SOURCES.rglob("*.py") for kind in kinds_in(ast.parse(path.read_text()))
    }


def test_emitted_kinds_are_the_declared_ones():
    assert emitted() == set(KINDS)


def test_handlers_listen_to_declared_kinds():
    handled = {kind for kinds in pipeline.HANDLERS.values() for kind in kinds}
    assert {kind for kind in handled if "*" not in kind} <= set(KINDS)


def test_planted_kind_is_found_in_the_code():
    assert list(kinds_in(ast.parse('emit("lead.renamed", lead)'))) == ["lead.renamed"]
    assert list(kinds_in(ast.parse('event_kinds = {"added": "x.added"}'))) == ["x.added"]


@pytest.mark.django_db
def test_undeclared_kind_is_refused():
    team = make_team()
    with pytest.raises(UndeclaredKindError, match=r"team\.painted .* events/kinds\.py"):
        emit("team.painted", team)
    with pytest.raises(UndeclaredKindError):
        emit_many([Fact("team.added", team), Fact("team.painted", team)])
    assert not Event.objects.exists()
