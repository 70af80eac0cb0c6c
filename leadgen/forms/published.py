"""One version of a form as the edge serves and judges it, built from a row of PostgreSQL."""

import hashlib
import json
import logging
from dataclasses import dataclass, replace

from leadgen.forms.format.definition import Definition
from leadgen.forms.format.json_schema import json_schema
from leadgen.forms.format.reader import decode, read_text
from leadgen.forms.newer import FormRow, Newer
from leadgen.forms.page import form_page
from leadgen.forms.shown_version import ShownVersion

logger = logging.getLogger("leadgen.capture")


@dataclass(frozen=True, slots=True)
class PublishedForm:
    """One version of a form: what the edge needs to serve it, to judge a post and to write it.

    ``newer`` is the version that was looked up where this release does not understand it. All else
    is then of the last version before it that is understood; page and document are empty where
    there is none. ``is_live`` is False for a form that was unpublished; such a form shows no page.
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
    number: int = 0
    is_live: bool = True
    newer: Newer | None = None

    @property
    def published_id(self) -> int:
        """The version that was looked up, understood or not."""
        return (self.newer or self).version_id

    def is_of(self, row: FormRow) -> bool:
        """Whether it was built from the version and the form's settings of a row."""
        return (self.published_id, self.slug, self.origins, self.is_live) == (
            row[4],
            row[2],
            frozenset(row[3].split()),
            _is_live(row),
        )

    def named(self, number: int) -> "PublishedForm | None":
        """Return what judges answers that name this version; None where it is another version.

        Answers to the page that is served are judged by its version. Only answers to the version
        that is not understood wait for a newer release.
        """
        if self.newer and number == self.newer.number:
            return self
        if number != self.number:
            return None
        return replace(self, newer=None) if self.newer else self


def build_published_form(row: FormRow, served: FormRow | None) -> PublishedForm:
    """Build a form from the row of the version looked up and of the version to serve."""
    if served is None:
        return _pageless(row)
    form = _drawn(served)
    return form if served is row else replace(form, newer=_newer(row))


def unread(shown: ShownVersion, slug: str, origins: frozenset[str] = frozenset()) -> PublishedForm:
    """Return a version that cannot be read now, as its token names it: without any question."""
    definition = Definition("", (), locale=shown.locale)
    return PublishedForm(
        form_id=shown.form_id,
        version_id=shown.version_id,
        public_id="",
        slug=slug,
        origins=origins,
        definition=definition,
        page="",
        document=b"",
        etag="",
        number=shown.number,
    )


def _drawn(row: FormRow) -> PublishedForm:
    form_id, public_id, slug, allowed, version_id, number, text, *_ = row
    data = decode(text)
    definition = Definition.from_json(data)
    page, schema = form_page(definition), json_schema(definition)
    document = json.dumps(
        {"id": public_id, "version": number, "definition": data, "schema": schema},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    etag = hashlib.sha256(page.encode() + document).hexdigest()[:24]
    return PublishedForm(
        form_id=form_id,
        version_id=version_id,
        public_id=public_id,
        slug=slug,
        origins=frozenset(allowed.split()),
        definition=definition,
        page=page,
        document=document,
        etag=f'"{etag}"',
        number=number,
        is_live=_is_live(row),
    )


def _pageless(row: FormRow) -> PublishedForm:
    """Build a form of which this release understands no version: it only takes answers."""
    form_id, public_id, slug, allowed, version_id, *_ = row
    newer = _newer(row)
    return PublishedForm(
        form_id=form_id,
        version_id=version_id,
        public_id=public_id,
        slug=slug,
        origins=frozenset(allowed.split()),
        # Where to send the visitor is the newer release's to say.
        definition=replace(newer.definition, redirect_url=""),
        page="",
        document=b"",
        etag="",
        is_live=_is_live(row),
        newer=newer,
    )


def _newer(row: FormRow) -> Newer:
    reading = read_text(row[6])
    parts = ", ".join(part[:80] for part in reading.unknown[:5])
    logger.warning(
        "version %s of form %s is of a newer release; its submissions wait in quarantine: %s",
        row[5],
        row[1],
        parts,
    )
    return Newer(row[4], row[5], reading.definition)


def _is_live(row: FormRow) -> bool:
    """Return the last column; a row that was read ahead has none, for its form is published."""
    return row[7:] != (False,)
