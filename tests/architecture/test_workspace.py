"""Pages write through the domains' verbs and read rows through their visibility rule."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_EMITTERS = {"emit", "emit_many", "Fact"}
_MANAGERS = {"_default_manager", "_base_manager"}
# The kit locks a row that get_object() has narrowed, and narrows the rows of a choice itself.
_KIT = "leadgen/workspace/kit/"


def _name(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _narrowed(tree: ast.AST) -> set[int]:
    """Return the nodes within the arguments of visible_rows()."""
    calls = (each for each in ast.walk(tree) if isinstance(each, ast.Call))
    inner = (call.args[0] for call in calls if _name(call) == "visible_rows" and call.args)
    return {id(node) for argument in inner for node in ast.walk(argument)}


def _reads_model(call: ast.Call) -> bool:
    """Tell whether a shortcut of Django gets a whole model, such as get_object_or_404(Lead)."""
    source = call.args[0] if call.args else None
    named = str(getattr(source, "attr", getattr(source, "id", "")))
    return _name(call) in {"get_object_or_404", "get_list_or_404"} and named[:1].isupper()


def violations(code: str, *, is_kit: bool = False) -> Iterator[int]:
    """Yield the lines that emit an event or read a model past visible()."""
    tree = ast.parse(code)
    narrowed = _narrowed(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if _name(node) in _EMITTERS or _reads_model(node):
                yield node.lineno
        elif isinstance(node, ast.Attribute) and id(node) not in narrowed:
            is_manager = node.attr in _MANAGERS and not is_kit
            if node.attr == "objects" or is_manager:
                yield node.lineno


def test_pages_emit_no_event_and_read_through_visibility() -> None:
    found = []
    for path in sorted((ROOT / "leadgen/workspace").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        lines = violations(path.read_text(), is_kit=name.startswith(_KIT))
        found += [f"{name}:{line}" for line in lines]
    assert not found


@pytest.mark.parametrize(
    "planted",
    [
        "emit('team.changed', team)",
        "events.emit(kind, obj, actor=user)",
        "services.emit_many([fact])",
        "Fact('team.changed', team)",
        "Stage.objects.filter(pipeline=1)",
        "models.User.objects.all()",
        "Event._default_manager.all()",
        "get_object_or_404(Stage, pk=1)",
        "visible_rows(Lead.objects.all(), user) & Lead.objects.all()",
        "visible(Lead, user).filter(stage__in=Stage.objects.all())",
    ],
)
def test_planted_event_or_direct_read_is_found(planted: str) -> None:
    assert list(violations(planted))


@pytest.mark.parametrize(
    "allowed",
    [
        "visible(Stage, user).filter(pipeline=1)",
        "visible_rows(Lead.objects.all(), user).open()",
        "lead.tasks.open()",
        "get_object_or_404(lead.tasks, pk=1)",
        "services.update_task(task, values, actor=user)",
    ],
)
def test_read_through_visibility_is_allowed(allowed: str) -> None:
    assert not list(violations(allowed))
