"""Published form: page, document and validator of one version, built from a database row."""

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
    """One version of a form, with all that the edge needs to serve it and to validate a post.

    ``newer`` is the version that was looked up, when this release does not understand it. The other
    attributes then belong to the last earlier version that is understood; page and document are
    empty when there is none. ``is_live`` is False for an unpublished form, which shows no page.
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
        """The primary key of the version that was looked up, understood or not."""
        return (self.newer or self).version_id

    def is_of(self, row: FormRow) -> bool:
        """Return whether the row has the same version and the same settings of the form."""
        return (self.published_id, self.slug, self.origins, self.is_live) == (
            row[4],
            row[2],
            frozenset(row[3].split()),
            _is_live(row),
        )

    def named(self, number: int) -> "PublishedForm | None":
        """Return the form that validates answers to the version ``number``; None for other numbers.

        Answers to the served page are validated by its version. Only answers to the version that
        is not understood wait for a newer release.
        """
        if self.newer and number == self.newer.number:
            return self
        if number != self.number:
            return None
        return replace(self, newer=None) if self.newer else self


def build_published_form(row: FormRow, served: FormRow | None) -> PublishedForm:
    """Build a form from the row of the version looked up, and that of the version to serve."""
    if served is None:
        return _without_page(row)
    form = _with_page(served)
    return form if served is row else replace(form, newer=_newer(row))


def unread(shown: ShownVersion, slug: str, origins: frozenset[str] = frozenset()) -> PublishedForm:
    """Return a form without fields for the version that a token names, which cannot be read."""
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


def _with_page(row: FormRow) -> PublishedForm:
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


def _without_page(row: FormRow) -> PublishedForm:
    """Build a form of which this release understands no version; it only accepts answers."""
    form_id, public_id, slug, allowed, version_id, *_ = row
    newer = _newer(row)
    return PublishedForm(
        form_id=form_id,
        version_id=version_id,
        public_id=public_id,
        slug=slug,
        origins=frozenset(allowed.split()),
        # The newer release may use redirect_url in another way.
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
        "version %s of form %s is from a newer release, its submissions wait in review: %s",
        row[5],
        row[1],
        parts,
    )
    return Newer(row[4], row[5], reading.definition)


def _is_live(row: FormRow) -> bool:
    """Return the last column; a preloaded row has none, because its form is published."""
    return row[7:] != (False,)
