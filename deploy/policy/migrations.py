"""Expand and contract: a migration must not break the previous release, which still runs.

The rule and its reasons: deploy/docs/migrations.md. A migration that takes something away says in
a constant of its module, CONTRACTS, since which release nothing needs it.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field, ForeignKey, ManyToManyField

_HARMLESS_SQL = re.compile(r"CREATE\s+(SEQUENCE|EXTENSION|INDEX)\b", re.I)


def all_findings(app_labels: set[str]) -> list[str]:
    """Return the violations of all migrations of these apps, without those with a reason."""
    loader = MigrationLoader(None)
    found = []
    for (label, name), migration in sorted(loader.disk_migrations.items()):
        if label in app_labels and not reason(migration):
            before = loader.project_state((label, name), at_end=False)
            found += [f"{label}.{name}: {said}" for said in findings(migration, before)]
    return found


def reason(migration: Migration) -> str:
    """Return the reason that a migration's module states for removing something."""
    return str(getattr(sys.modules[type(migration).__module__], "CONTRACTS", ""))


def findings(migration: Migration, before: ProjectState) -> Iterator[str]:
    """Yield what breaks the previous release; tables created by the migration are exempt."""
    yield from _walk(migration.operations, before.clone(), set(), migration.app_label)


def _walk(
    operations: Sequence[Operation], state: ProjectState, made: set[str], label: str
) -> Iterator[str]:
    for operation in operations:
        match operation:
            case ops.CreateModel():
                made.add(operation.name_lower)
            case ops.SeparateDatabaseAndState(database_operations=inner):
                yield from _walk(inner, state.clone(), made, label)
            case _ if _model(operation) not in made and (said := _trouble(operation, state, label)):
                yield f"{operation.describe()}: {said}"
        operation.state_forwards(label, state)


def _model(operation: Operation) -> str:
    return str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()


def _trouble(operation: Operation, state: ProjectState, label: str) -> str:
    match operation:
        case ops.RemoveField() | ops.RenameField() | ops.DeleteModel() | ops.RenameModel():
            return "the release before still reads and writes it"
        case ops.AlterModelTable():
            return "the release before knows the table by its old name"
        case ops.AddConstraint():
            return "the release before may write rows against it"
        case ops.AlterUniqueTogether(name_lower=model, option_value=sets):
            known = state.models[label, model].options.get("unique_together") or ()
            return "the release before may write it twice" if set(sets or ()) - set(known) else ""
        case ops.AddField(field=field) if _must_be_given(field):
            return "the release before writes rows without it; give it null=True or a db_default"
        case ops.AlterField(model_name=model, name=name, field=field):
            old = state.models[label, model.lower()].get_field(name)
            return _narrows(name, old, field)
        case ops.RunSQL(sql=sql) if not all(map(_HARMLESS_SQL.match, _statements(sql))):
            return "say in CONTRACTS why the release before is not troubled"
    return ""


def _statements(sql: Any) -> list[str]:
    """Split what RunSQL takes: text, or a list of texts and of pairs with parameters.

    What is within quotes is split too: more pieces only mean more of them to give a reason for.
    """
    given = [sql] if isinstance(sql, str) else sql
    texts = [one if isinstance(one, str) else one[0] for one in given]
    return [part.strip() for part in ";".join(texts).split(";") if part.strip()]


def _column(name: str, field: "Field[Any, Any]") -> str:
    return field.db_column or (f"{name}_id" if isinstance(field, ForeignKey) else name)


def _must_be_given(field: "Field[Any, Any]") -> bool:
    return not (field.null or field.has_db_default() or isinstance(field, ManyToManyField))


def _narrows(name: str, old: "Field[Any, Any]", new: "Field[Any, Any]") -> str:
    if _column(name, old) != _column(name, new):
        return "the release before knows the column by its old name"
    if old.null and not new.null:
        return "the release before still writes NULL"
    if new.unique and not old.unique:
        return "the release before may write it twice"
    if type(old) is not type(new):
        return "the release before knows another type"
    if old.max_length and (new.max_length or sys.maxsize) < old.max_length:
        return "the release before may write longer ones"
    return ""
