"""The forms on the air, held in the process and served stale while the database is away."""

import asyncio
import hashlib
import json
import logging
import re
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from math import inf

from leadgen.capture.database import Database
from leadgen.capture.newer import Newer, Resolved, Row, resolve
from leadgen.forms.definition import Definition
from leadgen.forms.page import form_page
from leadgen.forms.reader import decode, read_text
from leadgen.forms.schema import json_schema

logger = logging.getLogger("leadgen.capture")

_SELECT = (
    "SELECT f.id, f.public_id, f.slug, f.allowed_origins, v.id, v.number, v.definition::text "
    "FROM forms_form f JOIN forms_formversion v ON v.id = f.published_id WHERE "
)
_BY = {"slug": _SELECT + "f.slug = %s", "public_id": _SELECT + "f.public_id = %s"}
_KEY = re.compile(r"[-a-zA-Z0-9_]{1,80}")


@dataclass(frozen=True, slots=True)
class Published:
    """One form on the air: what the edge needs to serve it, to judge a post and to write it.

    ``newer`` is the published version where this release does not understand it. All else is then
    of the last version that it does understand; page and document are empty where there is none.
    """

    form_id: int
    version_id: int
    public_id: str
    slug: str
    origins: frozenset[str]
    definition: Definition
    page: str
    document: bytes
    etag: str
    newer: Newer | None = None

    @property
    def published_id(self) -> int:
        """The version on the air, understood or not."""
        return (self.newer or self).version_id

    def is_of(self, row: Row) -> bool:
        """Whether it was built from the published version and the form's settings of a row."""
        return (self.published_id, self.slug, self.origins) == (
            row[4],
            row[2],
            frozenset(row[3].split()),
        )


@dataclass(slots=True)
class _Entry:
    form: Published | None
    checked_at: float


class PublishedForms:
    """A bounded cache by slug and by public id, at most ``fresh`` seconds behind.

    One loader runs for each form at a time. A form that cannot be looked up again within ``grace``
    seconds is served as it was last seen. Unknown addresses are remembered too, apart from the
    forms, so that a scanner pushes no form out.
    """

    def __init__(
        self, database: Database, *, fresh: float = 2.0, grace: float = 0.5, most: int = 1000
    ) -> None:
        self._database = database
        self._fresh = fresh
        self._grace = grace
        self._most = most
        self._forms: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._unknown: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._ahead: OrderedDict[tuple[str, str], Resolved] = OrderedDict()
        self._loading: dict[tuple[str, str], asyncio.Task[Published | None]] = {}

    async def by_slug(self, slug: str) -> Published | None:
        """Return the form on the air at /f/<slug>, or None; may raise DatabaseAwayError."""
        return await self._get(("slug", slug))

    async def by_public_id(self, public_id: str) -> Published | None:
        """Return the form of a public id, or None; may raise DatabaseAwayError."""
        return await self._get(("public_id", public_id))

    async def reread(self, form: Published) -> Published:
        """Return the form as it is published now, or as given while the database is away.

        A post that is refused may answer a version which is younger than what is in memory.
        """
        loader = self._load_once(("public_id", form.public_id))
        await asyncio.wait({loader}, timeout=self._grace)
        is_known = loader.done() and not loader.cancelled() and not loader.exception()
        return (loader.result() if is_known else None) or form

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
        while len(self._ahead) > 2 * self._most:
            self._ahead.popitem(last=False)

    async def _get(self, key: tuple[str, str]) -> Published | None:
        if not _KEY.fullmatch(key[1]):
            return None
        entry = self._forms.get(key) or self._unknown.get(key) or self._foreseen(key)
        if entry and time.monotonic() - entry.checked_at < self._fresh:
            return entry.form
        loader = self._load_once(key)
        if entry is None or entry.form is None:
            return await asyncio.shield(loader)
        return await self._fresh_or_stale(loader, entry)

    def _foreseen(self, key: tuple[str, str]) -> _Entry | None:
        if (found := self._ahead.get(key)) is None:
            return None
        return self._keep(key, _build(*found), checked_at=-inf)

    async def _fresh_or_stale(
        self, loader: "asyncio.Task[Published | None]", entry: _Entry
    ) -> Published | None:
        await asyncio.wait({loader}, timeout=self._grace)
        if loader.done() and not loader.exception():
            return loader.result()
        # Nobody else waits for this form again until the next look is due.
        entry.checked_at = time.monotonic()
        return entry.form

    def _load_once(self, key: tuple[str, str]) -> "asyncio.Task[Published | None]":
        if key not in self._loading:
            self._loading[key] = asyncio.create_task(self._load(key))
            self._loading[key].add_done_callback(lambda task: self._loaded(key, task))
        return self._loading[key]

    def _loaded(self, key: tuple[str, str], task: "asyncio.Task[Published | None]") -> None:
        del self._loading[key]
        if not task.cancelled() and (error := task.exception()):
            logger.warning("a form could not be looked up: %s", type(error).__name__)

    async def _load(self, key: tuple[str, str]) -> Published | None:
        rows = await self._database.fetch(_BY[key[0]], [key[1]])
        seen = self._forms.get(key)
        form = await self._read(rows[0], seen.form if seen else None) if rows else None
        self._keep(key, form, checked_at=time.monotonic())
        return form

    async def _read(self, row: Row, seen: Published | None) -> Published:
        if seen and seen.is_of(row):
            return seen
        return _build(*await resolve(self._database, row))

    def _keep(self, key: tuple[str, str], form: Published | None, *, checked_at: float) -> _Entry:
        self._forms.pop(key, None)
        self._unknown.pop(key, None)
        entries = self._unknown if form is None else self._forms
        entries[key] = entry = _Entry(form, checked_at)
        if len(entries) > self._most:
            entries.popitem(last=False)
        return entry


def _build(row: Row, served: Row | None) -> Published:
    """Build a form from the row of its published version and of the version to serve."""
    if served is None:
        return _pageless(row)
    form = _drawn(served)
    return form if served is row else replace(form, newer=_newer(row))


def _drawn(row: Row) -> Published:
    form_id, public_id, slug, allowed, version_id, number, text = row
    data = decode(text)
    definition = Definition.from_json(data)
    page, schema = form_page(definition), json_schema(definition)
    document = json.dumps(
        {"id": public_id, "version": number, "definition": data, "schema": schema},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    etag = hashlib.sha256(page.encode() + document).hexdigest()[:24]
    origins = frozenset(allowed.split())
    return Published(
        form_id, version_id, public_id, slug, origins, definition, page, document, f'"{etag}"'
    )


def _pageless(row: Row) -> Published:
    """Build a form of which this release understands no version: it only takes answers."""
    form_id, public_id, slug, allowed, version_id, *_ = row
    newer = _newer(row)
    # Where to send the visitor is the newer release's to say.
    definition = replace(newer.definition, redirect_url="")
    origins = frozenset(allowed.split())
    return Published(form_id, version_id, public_id, slug, origins, definition, "", b"", "", newer)


def _newer(row: Row) -> Newer:
    reading = read_text(row[6])
    parts = ", ".join(part[:80] for part in reading.unknown[:5])
    logger.warning(
        "version %s of form %s is of a newer release; its submissions wait in quarantine: %s",
        row[5],
        row[1],
        parts,
    )
    return Newer(row[4], reading.definition)
