"""Cache of published forms in the process; serves stale entries while PostgreSQL is unavailable."""

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
# An unpublished form is found with its latest version: visitors may still have its page open.
_SELECT = (
    f"SELECT {_COLUMNS}, f.published_id IS NOT NULL "  # noqa: S608 - constants
    "FROM forms_form f JOIN forms_formversion v ON v.id = coalesce(f.published_id, "
    "(SELECT max(w.id) FROM forms_formversion w WHERE w.form_id = f.id)) WHERE f.id = "
)
# PostgreSQL runs a sub-select of coalesce only when those before it returned NULL.
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
# Open pages of replaced versions are few; an entry takes about 20 kB.
MAX_VERSIONS = 200
# Mail programs take the punctuation behind a link into it. No address has these characters.
_STRAY = " .,;:!?()[]<>'\"\u2019\u201d\u00a0\u200b"
_KEY = re.compile(r"[-a-zA-Z0-9_]{1,80}")


@dataclass(slots=True)
class _Entry:
    form: PublishedForm | None
    checked_at: float


class FormCache:
    """A bounded LRU cache by slug and by public id, stale-while-error.

    An entry is looked up again after ``max_age`` seconds, by one loader at a time for each key.
    When the look-up takes more than ``stale_timeout`` seconds, the stale entry is served. Unknown
    and former addresses have a cache of their own, so that a scanner evicts no form; so have
    replaced versions.
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
        self._preloads: OrderedDict[tuple[str, str], Resolved] = OrderedDict()
        self._loading: dict[tuple[str, str], asyncio.Task[PublishedForm | None]] = {}

    async def by_slug(self, slug: str) -> PublishedForm | None:
        """Return the form at /f/<slug>, or None; raise DatabaseUnavailableError.

        Former addresses, other letter case and punctuation around the address find the form too:
        its ``slug`` then differs from the requested one.
        """
        return await self._get(("slug", slug.strip(_STRAY)))

    async def by_public_id(self, public_id: str) -> PublishedForm | None:
        """Return the form with a public id, or None; raise DatabaseUnavailableError."""
        return await self._get(("public_id", public_id))

    async def by_id(self, form_id: int) -> PublishedForm | None:
        """Return the form of a primary key, or None; may raise DatabaseUnavailableError."""
        return await self._get(("id", str(form_id)))

    def cached(self, slug: str) -> PublishedForm | None:
        """Return the form at an address as far as it is in memory, however old the entry is."""
        key = ("slug", slug.strip(_STRAY))
        entry = self._forms.get(key) or self._unknown.get(key)
        return entry.form if entry else None

    async def version(self, form: PublishedForm, number: int) -> PublishedForm | None:
        """Return the form in the version ``number``, or None; raise DatabaseUnavailableError.

        Versions never change, so an entry never expires; MAX_VERSIONS of them are kept (LRU).
        """
        if own := form.named(number):
            return own
        key = (form.form_id, number)
        if (version := self._versions.get(key)) is None:
            rows = await self._database.fetch(_VERSION, key)
            if not rows:
                return None
            version = build_published_form(*await resolve(self._database, rows[0]))
        self._versions[key] = version
        self._versions.move_to_end(key)
        if len(self._versions) > MAX_VERSIONS:
            self._versions.popitem(last=False)
        return replace(version, slug=form.slug, origins=form.origins, is_live=form.is_live)

    async def reread(self, form: PublishedForm) -> PublishedForm | None:
        """Return the form when a newer version is published; None while PostgreSQL is unavailable.

        A post that fails validation may answer a version that is newer than the cached one.
        """
        loader = self._load_once(("public_id", form.public_id))
        await asyncio.wait({loader}, timeout=self._stale_timeout)
        is_known = loader.done() and not loader.cancelled() and not loader.exception()
        latest = loader.result() if is_known else None
        is_other = latest and latest.is_live and latest.published_id != form.published_id
        return latest if is_other else None

    def preload(self, resolved: Resolved) -> None:
        """Store a form for its first request; remove an unpublished form from the cache.

        The page is built on the first request: most forms are never requested from one process.
        """
        row, _ = resolved
        for key in (("public_id", row[1]), ("slug", row[2])):
            if self._preloads.get(key) != resolved:
                for entries in (self._forms, self._unknown, self._preloads):
                    entries.pop(key, None)
                if row[4] is not None:
                    self._preloads[key] = resolved
        while len(self._preloads) > 2 * self._max_entries:
            self._preloads.popitem(last=False)

    async def _get(self, key: tuple[str, str]) -> PublishedForm | None:
        if not _KEY.fullmatch(key[1]):
            return None
        entry = self._forms.get(key) or self._unknown.get(key) or self._preloaded(key)
        if entry and time.monotonic() - entry.checked_at < self._max_age:
            return entry.form
        loader = self._load_once(key)
        if entry is None or entry.form is None:
            return await asyncio.shield(loader)
        return await self._fresh_or_stale(loader, entry)

    def _preloaded(self, key: tuple[str, str]) -> _Entry | None:
        if (resolved := self._preloads.get(key)) is None:
            return None
        return self._store(key, build_published_form(*resolved), checked_at=-inf)

    async def _fresh_or_stale(
        self, loader: "asyncio.Task[PublishedForm | None]", entry: _Entry
    ) -> PublishedForm | None:
        await asyncio.wait({loader}, timeout=self._stale_timeout)
        if loader.done() and not loader.exception():
            return loader.result()
        # Other requests do not wait for this form again until max_age has passed.
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
            logger.warning("database unavailable, form not refreshed: %s", type(error).__name__)

    async def _load(self, key: tuple[str, str]) -> PublishedForm | None:
        statement = _BY[key[0]]
        rows = await self._database.fetch(statement, [key[1]] * statement.count("%s"))
        form = await self._read(rows[0], self._cached(key, rows[0])) if rows else None
        self._store(key, form, checked_at=time.monotonic())
        return form

    def _cached(self, key: tuple[str, str], row: FormRow) -> PublishedForm | None:
        """Return the cached form, under this key or its own address."""
        entry = self._forms.get(key) or self._forms.get(("slug", row[2])) or self._unknown.get(key)
        return entry.form if entry else None

    async def _read(self, row: FormRow, cached: PublishedForm | None) -> PublishedForm:
        if cached and cached.is_of(row):
            return cached
        return build_published_form(*await resolve(self._database, row))

    def _store(
        self, key: tuple[str, str], form: PublishedForm | None, *, checked_at: float
    ) -> _Entry:
        self._forms.pop(key, None)
        self._unknown.pop(key, None)
        entries = self._forms if form and _is_own_key(form, key) else self._unknown
        entries[key] = entry = _Entry(form, checked_at)
        if len(entries) > self._max_entries:
            entries.popitem(last=False)
        return entry


def _is_own_key(form: PublishedForm, key: tuple[str, str]) -> bool:
    """Return whether the key is the live form's own; other spellings are unbounded in number."""
    return form.is_live and (key[0] != "slug" or key[1] == form.slug)
