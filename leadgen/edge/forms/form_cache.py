"""Forms as visitors reach them, cached in the process and served stale while PostgreSQL is away."""

import asyncio
import logging
import re
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from math import inf

from leadgen.edge.forms.newer_versions import Resolved, resolve
from leadgen.edge.read_pool import ReadPool
from leadgen.forms.newer import FormRow
from leadgen.forms.published import PublishedForm, build_published_form

logger = logging.getLogger("leadgen.capture")

_COLUMNS = "f.id, f.public_id, f.slug, f.allowed_origins, v.id, v.number, v.definition::text"
# An unpublished form is found with its latest version: pages of it are still open somewhere.
_SELECT = (
    f"SELECT {_COLUMNS}, f.published_id IS NOT NULL "  # noqa: S608 - constants
    "FROM forms_form f JOIN forms_formversion v ON v.id = coalesce(f.published_id, "
    "(SELECT max(w.id) FROM forms_formversion w WHERE w.form_id = f.id)) WHERE f.id = "
)
# PostgreSQL runs a sub-select of coalesce only when those before it have found nothing.
_BY_SLUG = (
    "coalesce((SELECT id FROM forms_form WHERE slug = %s), "
    "(SELECT form_id FROM forms_formaddress WHERE slug = %s), "
    "(SELECT min(id) FROM forms_form WHERE lower(slug) = lower(%s)), "
    "(SELECT min(form_id) FROM forms_formaddress WHERE lower(slug) = lower(%s)))"
)
_BY_PUBLIC_ID = "(SELECT id FROM forms_form WHERE public_id = %s)"
_BY = {
    "slug": _SELECT + _BY_SLUG,
    "public_id": _SELECT + _BY_PUBLIC_ID,
    "id": f"{_SELECT}%s::bigint",
}
_VERSION = (
    f"SELECT {_COLUMNS} FROM forms_form f "  # noqa: S608 - constants
    "JOIN forms_formversion v ON v.form_id = f.id WHERE f.id = %s AND v.number = %s"
)
# Pages of replaced versions are few; each takes about 20 kB.
MOST_VERSIONS = 200
_KEY = re.compile(r"[-a-zA-Z0-9_]{1,80}")


@dataclass(slots=True)
class _Entry:
    form: PublishedForm | None
    checked_at: float


class FormCache:
    """A bounded cache by slug and by public id, at most ``max_age`` seconds behind.

    One loader runs for each form at a time. A form that cannot be looked up again within
    ``stale_timeout`` seconds is served as it was last seen. Unknown and former addresses are
    remembered too, apart from the forms, so that a scanner pushes no form out. Replaced versions
    have a memory of their own, which no visit to the present page touches.
    """

    def __init__(
        self,
        database: ReadPool,
        *,
        max_age: float = 2.0,
        stale_timeout: float = 0.5,
        max_entries: int = 1000,
    ) -> None:
        self._database = database
        self._max_age = max_age
        self._stale_timeout = stale_timeout
        self._max_entries = max_entries
        self._forms: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._unknown: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._versions: OrderedDict[tuple[int, int], PublishedForm] = OrderedDict()
        self._ahead: OrderedDict[tuple[str, str], Resolved] = OrderedDict()
        self._loading: dict[tuple[str, str], asyncio.Task[PublishedForm | None]] = {}

    async def by_slug(self, slug: str) -> PublishedForm | None:
        """Return the form at /f/<slug>, or None; may raise DatabaseAwayError.

        A former address, and one in other letter case, lead to the form too: its ``slug`` then
        differs from the one that was asked for.
        """
        return await self._get(("slug", slug))

    async def by_public_id(self, public_id: str) -> PublishedForm | None:
        """Return the form of a public id, or None; may raise DatabaseAwayError."""
        return await self._get(("public_id", public_id))

    async def by_id(self, form_id: int) -> PublishedForm | None:
        """Return the form of a primary key, or None; may raise DatabaseUnavailableError."""
        return await self._get(("id", str(form_id)))

    async def version(self, form: PublishedForm, number: int) -> PublishedForm | None:
        """Return the form with this version of it, or None; may raise DatabaseAwayError.

        A version never changes, so it is read once and kept among the last that were asked for.
        """
        if named := form.named(number):
            return named
        key = (form.form_id, number)
        if (version := self._versions.get(key)) is None:
            rows = await self._database.fetch(_VERSION, key)
            if not rows:
                return None
            version = build_published_form(*await resolve(self._database, rows[0]))
        self._versions[key] = version
        self._versions.move_to_end(key)
        if len(self._versions) > MOST_VERSIONS:
            self._versions.popitem(last=False)
        return replace(version, slug=form.slug, origins=form.origins, is_live=form.is_live)

    async def reread(self, form: PublishedForm) -> PublishedForm | None:
        """Return the form if another version is published by now; None while PostgreSQL is away.

        A post that is refused may answer a version which is younger than what is in memory.
        """
        loader = self._load_once(("public_id", form.public_id))
        await asyncio.wait({loader}, timeout=self._stale_timeout)
        is_known = loader.done() and not loader.cancelled() and not loader.exception()
        latest = loader.result() if is_known else None
        is_other = latest and latest.is_live and latest.published_id != form.published_id
        return latest if is_other else None

    def foresee(self, found: Resolved) -> None:
        """Keep a form for the first who asks for it; forget one that is off the air.

        Its definitions are still text: forms are many, and few of them are ever asked for in one
        process.
        """
        row, _ = found
        for key in (("public_id", row[1]), ("slug", row[2])):
            if self._ahead.get(key) != found:
                for entries in (self._forms, self._unknown, self._ahead):
                    entries.pop(key, None)
                if row[4] is not None:
                    self._ahead[key] = found
        while len(self._ahead) > 2 * self._max_entries:
            self._ahead.popitem(last=False)

    async def _get(self, key: tuple[str, str]) -> PublishedForm | None:
        if not _KEY.fullmatch(key[1]):
            return None
        entry = self._forms.get(key) or self._unknown.get(key) or self._foreseen(key)
        if entry and time.monotonic() - entry.checked_at < self._max_age:
            return entry.form
        loader = self._load_once(key)
        if entry is None or entry.form is None:
            return await asyncio.shield(loader)
        return await self._fresh_or_stale(loader, entry)

    def _foreseen(self, key: tuple[str, str]) -> _Entry | None:
        if (found := self._ahead.get(key)) is None:
            return None
        return self._keep(key, build_published_form(*found), checked_at=-inf)

    async def _fresh_or_stale(
        self, loader: "asyncio.Task[PublishedForm | None]", entry: _Entry
    ) -> PublishedForm | None:
        await asyncio.wait({loader}, timeout=self._stale_timeout)
        if loader.done() and not loader.exception():
            return loader.result()
        # Nobody else waits for this form again until the next look is due.
        entry.checked_at = time.monotonic()
        return entry.form

    def _load_once(self, key: tuple[str, str]) -> "asyncio.Task[PublishedForm | None]":
        if key not in self._loading:
            self._loading[key] = asyncio.create_task(self._load(key))
            self._loading[key].add_done_callback(lambda task: self._loaded(key, task))
        return self._loading[key]

    def _loaded(self, key: tuple[str, str], task: "asyncio.Task[PublishedForm | None]") -> None:
        del self._loading[key]
        if not task.cancelled() and (error := task.exception()):
            logger.warning("a form could not be looked up: %s", type(error).__name__)

    async def _load(self, key: tuple[str, str]) -> PublishedForm | None:
        statement = _BY[key[0]]
        rows = await self._database.fetch(statement, [key[1]] * statement.count("%s"))
        form = await self._read(rows[0], self._seen(key, rows[0])) if rows else None
        self._keep(key, form, checked_at=time.monotonic())
        return form

    def _seen(self, key: tuple[str, str], row: FormRow) -> PublishedForm | None:
        """Return what is in memory of the form, under this key or its own address."""
        entry = self._forms.get(key) or self._forms.get(("slug", row[2])) or self._unknown.get(key)
        return entry.form if entry else None

    async def _read(self, row: FormRow, seen: PublishedForm | None) -> PublishedForm:
        if seen and seen.is_of(row):
            return seen
        return build_published_form(*await resolve(self._database, row))

    def _keep(
        self, key: tuple[str, str], form: PublishedForm | None, *, checked_at: float
    ) -> _Entry:
        self._forms.pop(key, None)
        self._unknown.pop(key, None)
        entries = self._forms if form and _is_at(form, key) else self._unknown
        entries[key] = entry = _Entry(form, checked_at)
        if len(entries) > self._max_entries:
            entries.popitem(last=False)
        return entry


def _is_at(form: PublishedForm, key: tuple[str, str]) -> bool:
    """Tell whether the form shows its page there; the variants of an address have no end."""
    return form.is_live and (key[0] != "slug" or key[1] == form.slug)
