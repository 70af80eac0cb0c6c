"""Conditions such as waiting, open and unanswered are spelled once, beside their QuerySets."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOMES = {
    "leadgen/capture/models.py": "SubmissionQuerySet",
    "leadgen/leads/conditions.py": "LeadQuerySet and TaskQuerySet",
}
_TIMES = "closed_at|first_response_at|done_at|parked_at"
_EMPTY = re.compile(rf"(\w+__)?({_TIMES}|owner|owner_id)$")
_LOOKUP = re.compile(rf"(\w+__)?({_TIMES}|owner|owner_id)__isnull$|(\w+__)?state__in$")
_OF_STAGE = re.compile(r"(\w+__)?stage__type$")
_SQL = re.compile(rf"\b({_TIMES})\s+is\s+(not\s+)?null|\bstate\s+in\s*\(", re.I)
_NARROWING = {"filter", "exclude", "get", "aget", "Q", "When", "get_or_create", "get_object_or_404"}


def _name(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _is_none(node):
    return isinstance(node, ast.Constant) and node.value is None


def _spells(keyword, is_narrowing):
    name, value = keyword.arg or "", keyword.value
    return bool(
        _LOOKUP.match(name)
        or _OF_STAGE.match(name)
        or (is_narrowing and _EMPTY.match(name) and _is_none(value))
        or (is_narrowing and name == "state" and "quarantined" in ast.unparse(value).lower())
    )


def spellings(code):
    """Yield the lines of code that spell a condition which a QuerySet method has."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            is_narrowing = _name(node) in _NARROWING
            if any(_spells(keyword, is_narrowing) for keyword in node.keywords):
                yield node.lineno
        elif isinstance(node, ast.Constant) and _SQL.search(str(node.value)):
            yield node.lineno


def modules():
    for path in sorted((ROOT / "leadgen").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if "migrations" not in path.parts and name not in HOMES:
            yield name, path.read_text()


def test_conditions_are_spelled_by_their_querysets_only():
    assert not [f"{name}:{line}" for name, code in modules() for line in spellings(code)]


@pytest.mark.parametrize(
    "planted",
    [
        "leads.filter(closed_at=None)",
        "leads.filter(closed_at__isnull=True)",
        "leads.exclude(first_response_at=None)",
        "Count('pk', filter=Q(first_response_at__isnull=False))",
        "leads.filter(owner=None)",
        "Q(lead__owner__isnull=True)",
        "contacts.filter(leads__closed_at=None)",
        "leads.filter(stage__type=Stage.Type.WON)",
        "tasks.filter(done_at=None)",
        "Submission.objects.filter(state__in=['received', 'accepted'])",
        "Submission.objects.filter(parked_at=None)",
        "_locked(keys, parked_at__isnull=False)",
        "Submission.objects.filter(state=Submission.State.QUARANTINED)",
        "cursor.execute('SELECT id FROM leads_lead WHERE closed_at IS NULL')",
        "cursor.execute(\"… WHERE state IN ('received', 'accepted')\")",
    ],
)
def test_second_spelling_of_a_condition_is_found(planted):
    assert list(spellings(planted))


@pytest.mark.parametrize(
    "allowed",
    [
        "leads.unanswered()",
        "leads.open().filter(owner=user)",
        "Lead(owner=None, closed_at=None)",
        "add_task(lead, title, owner=None)",
        "leads.filter(won_at=None)",
        "rows.update(state='accepted')",
    ],
)
def test_use_of_a_condition_is_no_second_spelling(allowed):
    assert not list(spellings(allowed))


@pytest.mark.parametrize("name", HOMES)
def test_homes_of_the_conditions_exist_and_spell_them(name):
    assert list(spellings((ROOT / name).read_text()))
