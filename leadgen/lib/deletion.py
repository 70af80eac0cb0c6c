"""Plan of a deletion: related rows that it deletes, unlinks or that forbid it, counts capped.

Django's own confirmation (NestedObjects) loads every related row: with 200,000 leads behind a
pipeline that took minutes and gigabytes. The plan counts with one LIMIT query a relation instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.db import models
from django.db.models import Model, QuerySet
from django.utils.translation import gettext, ngettext

from leadgen.lib import row_limit


class Effect(Enum):
    """The consequence of a deletion for a related row."""

    DELETED = "deleted"
    UNLINKED = "unlinked"
    FORBIDS = "forbids"


_EFFECTS: dict[Any, Effect] = {
    models.CASCADE: Effect.DELETED,
    models.PROTECT: Effect.FORBIDS,
    models.RESTRICT: Effect.FORBIDS,
    models.DO_NOTHING: Effect.FORBIDS,  # the database refuses
}


@dataclass(frozen=True, slots=True)
class RelatedRows:
    """The rows of one model that a deletion concerns; ``count`` is capped (row_limit)."""

    model: type[Model]
    effect: Effect
    count: int

    def sentence(self, noun: str) -> str:
        """Return the consequence as a sentence; ``noun`` names the deleted row, such as company."""
        template = {
            Effect.DELETED: ngettext(
                "%(rows)s is deleted with it.", "%(rows)s are deleted with it.", self.count
            ),
            Effect.UNLINKED: ngettext(
                "%(rows)s loses this %(noun)s.", "%(rows)s lose this %(noun)s.", self.count
            ),
            Effect.FORBIDS: ngettext(
                "%(rows)s needs this %(noun)s.", "%(rows)s need this %(noun)s.", self.count
            ),
        }[self.effect]
        rows = row_limit.in_words(self.count, self.model)
        return row_limit.sentence(template % {"rows": rows, "noun": noun})


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """Related rows of a deletion of one row."""

    noun: str
    related: tuple[RelatedRows, ...]

    @property
    def refusals(self) -> list[str]:
        """The reasons against it, empty when the row may be deleted."""
        forbidding = [rows for rows in self.related if rows.effect is Effect.FORBIDS]
        if forbidding:
            return [rows.sentence(self.noun) for rows in forbidding]
        if sum(rows.count for rows in self.related) <= row_limit.MAX_ROWS:
            return []
        limit = gettext("At most %(limit)s rows are changed in one request.")
        return [*self.consequences, limit % {"limit": f"{row_limit.MAX_ROWS:,}"}]

    @property
    def consequences(self) -> list[str]:
        """The consequences for other rows, one sentence for each model."""
        return [
            rows.sentence(self.noun) for rows in self.related if rows.effect is not Effect.FORBIDS
        ]

    @property
    def deleted_models(self) -> list[type[Model]]:
        """The models of the rows that are deleted with it."""
        return [rows.model for rows in self.related if rows.effect is Effect.DELETED]


def plan(row: Model) -> DeletionPlan:
    """Count the related rows of a deletion; one query for each relation, none loads rows."""
    related = _related(type(row), [row.pk])
    return DeletionPlan(str(row._meta.verbose_name), _merged(related))


def _related(model: type[Model], keys: Sequence[Any]) -> Iterator[RelatedRows]:
    for relation in _relations(model):
        effect = _EFFECTS.get(relation.on_delete, Effect.UNLINKED)
        rows = _rows(relation, keys)
        if effect is not Effect.DELETED:
            yield RelatedRows(relation.related_model, effect, row_limit.capped_count(rows))
            continue
        deleted = list(rows.values_list("pk", flat=True)[: row_limit.MAX_ROWS + 1])
        yield RelatedRows(relation.related_model, effect, len(deleted))
        if 0 < len(deleted) <= row_limit.MAX_ROWS:
            yield from _related(relation.related_model, deleted)


def _relations(model: type[Model]) -> Iterator[Any]:
    """The foreign keys of other models that point at this one, those without a reverse name too."""
    for field in model._meta.get_fields(include_hidden=True):
        if field.auto_created and not field.concrete and (field.one_to_one or field.one_to_many):
            yield field


def _rows(relation: Any, keys: Sequence[Any]) -> QuerySet[Any]:
    narrow = {f"{relation.field.name}__in": keys}
    rows: QuerySet[Any] = relation.related_model._base_manager.filter(**narrow)
    return rows.order_by()


def _merged(related: Iterator[RelatedRows]) -> tuple[RelatedRows, ...]:
    """One entry a model and effect. The same leads need a pipeline and its stages: not added up."""
    counts: dict[tuple[type[Model], Effect], int] = {}
    for rows in related:
        key, known = (rows.model, rows.effect), counts.get((rows.model, rows.effect), 0)
        forbids = rows.effect is Effect.FORBIDS
        counts[key] = max(known, rows.count) if forbids else known + rows.count
    return tuple(RelatedRows(*key, count) for key, count in counts.items() if count)
