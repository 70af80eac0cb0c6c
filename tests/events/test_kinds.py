import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import leadgen
from leadgen import pipeline
from leadgen.events.kinds import KINDS, InvalidPayloadError, UndeclaredKindError
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
    """The first argument of each call that emits."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in EMITTERS:
                yield from texts(node.args[0])


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


@pytest.mark.django_db
def test_undeclared_kind_is_refused():
    team = make_team()
    with pytest.raises(UndeclaredKindError, match=r"team\.painted .* events/kinds\.py"):
        emit("team.painted", team)
    with pytest.raises(UndeclaredKindError):
        emit_many([Fact("team.added", team), Fact("team.painted", team)])
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("team.changed", {}, "missing required field `changes`"),
        ("team.changed", {"changes": "name"}, "Expected `array`, got `str`"),
        ("team.changed", {"changes": [1]}, "Expected `str`, got `int`"),
        ("team.changed", {"changes": ["name"], "to": "North"}, "Changes .* lacks to"),
        ("team.added", {"name": "North"}, "Nothing .* lacks name"),
        ("team.deleted", {"name": None}, "Expected `str`, got `null`"),
    ],
)
@pytest.mark.django_db
def test_data_that_differs_from_the_payload_is_refused(
    kind: str, data: dict[str, Any], message: str
) -> None:
    team = make_team()
    with pytest.raises(InvalidPayloadError, match=f"^{kind}: .*{message}"):
        emit(kind, team, data=data)
    with pytest.raises(InvalidPayloadError):
        emit_many([Fact("team.added", team), Fact(kind, team, data)])
    assert not Event.objects.exists()
