"""Parse request bodies; reject values that cannot be stored unchanged, naming the field."""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from leadgen.edge.http.messages import Refusal

MAX_FIELDS = 200
MAX_DEPTH = 5
# Of all names and texts together, in any script: the four longest texts that a form may ask for. A
# character takes at most 12 bytes, so it fits into the default of CAPTURE_MAX_BODY_BYTES.
MAX_CHARACTERS = 84_000
LARGEST_VERSION = 2**31 - 1  # PostgreSQL's integer

Texts = dict[str, list[str]]


class Body(msgspec.Struct):
    """The JSON body of an API client. ``Any`` marks the members that are parsed leniently."""

    fields: dict[str, Any]
    context: Any = None
    consents: dict[str, bool] = {}
    submitted_at: Any = None
    version: Any = None


_decoder = msgspec.json.Decoder(Body)
# A text without its closing quote counts to the end of the header: looked for from each quote, the
# end of 190 headers of 4 KB took 10 s.
_QUOTED = re.compile(rb'"(?:\\.|[^"\\])*+(?:"|\\?\Z)')
# Bytes of letters that are not ASCII: none of them separates pairs.
_ESCAPED_LETTERS = re.compile(rb"(?:%[89A-Fa-f][0-9A-Fa-f])+")
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u....|u....|.)", re.DOTALL)


def read_json(body: bytes) -> Body:
    """Parse a JSON body; raise Refusal (400) for broken or ambiguous JSON and unstorable values."""
    try:
        _check_json_length(body)
        decoded = _decoder.decode(body)
        _UNIQUE_NAMES.decode(body.decode())
    except UnicodeDecodeError:
        raise Refusal(400, "The body is not UTF-8.") from None
    except msgspec.ValidationError as error:
        raise Refusal(400, f"{error}.") from None
    except msgspec.DecodeError as error:
        raise Refusal(400, f"The body is not valid JSON: {error}.") from None
    except RecursionError:
        raise Refusal(400, "The JSON is nested too deeply.") from None
    except ValueError:  # int() parses at most 4,300 digits
        raise Refusal(400, "A number in the JSON has too many digits.") from None
    if len(decoded.fields) + len(decoded.consents) > MAX_FIELDS:
        raise Refusal(400, f"Too many fields: at most {MAX_FIELDS}.")
    for name, value in (*decoded.fields.items(), *decoded.consents.items()):
        _check(name, value, MAX_DEPTH)
    return decoded


def version_number(body: Body) -> int | None:
    """Return the number of the form version that the client was shown; None when it names none.

    A number written as a text counts as well. Any other value counts as none and is no error, so
    that the answers are not lost.
    """
    value = body.version
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 < value <= LARGEST_VERSION else None


def read_urlencoded(body: bytes) -> Texts:
    """Parse application/x-www-form-urlencoded into lists of texts by name; raise Refusal (400)."""
    plain = _with_letters(body)
    # Each that is left is a character. Parsing a body of percent signs only took 0.3 s.
    _check_length(plain.count(b"%"))
    try:
        pairs = parse_qsl(
            plain.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except UnicodeDecodeError:
        raise Refusal(400, "The form is not encoded as UTF-8.") from None
    except ValueError:
        raise Refusal(400, f"Too many fields: at most {MAX_FIELDS}.") from None
    return _collected(pairs, len(body))


def read_multipart(body: bytes, content_type: str) -> Texts:
    """Parse multipart/form-data into lists of texts by name; raise Refusal (400), for files too."""
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise Refusal(400, "The multipart Content-Type names no boundary.")
    parts = _Parts()
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Refusal(400, f"The multipart body is broken: {error}.") from None
    if not parts.ended:
        raise Refusal(400, "The multipart body ends too early.")
    return _collected(parts.pairs, len(body))


class _Parts:
    """Collect the parser's callbacks into pairs of name and text."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self._count = 0
        self.ended = False
        self._header = b""
        self._headers: dict[bytes, bytes] = {}
        self._value = b""
        self._data = bytearray()

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._piece("_header"),
            "on_header_value": self._piece("_value"),
            "on_header_end": self._end_header,
            "on_part_data": lambda data, start, end: self._data.extend(data[start:end]),
            "on_part_end": self._end,
            "on_end": lambda: setattr(self, "ended", True),
        }

    def _piece(self, name: str) -> Callable[[bytes, int, int], None]:
        def add(data: bytes, start: int, end: int) -> None:
            setattr(self, name, getattr(self, name) + data[start:end])

        return add

    def _begin(self) -> None:
        # With the empty file inputs, of which 16,000 fit into a body.
        self._count += 1
        if self._count > MAX_FIELDS:
            raise Refusal(400, f"Too many fields: at most {MAX_FIELDS}.")
        self._headers, self._data = {}, bytearray()
        self._header = self._value = b""

    def _end_header(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _end(self) -> None:
        header = self._headers.get(b"content-disposition", b"")
        options = parse_options_header(header)[1]
        # The parser drops the parameters filename* and filename*0 (RFC 2231).
        is_named = options.get(b"filename") or b"filename*" in _QUOTED.sub(b"", header).lower()
        if is_named or (b"filename" in options and self._data):
            raise Refusal(400, "This form takes no files.")
        if b"filename" in options:
            return  # a file input that was left empty
        if b"name" not in options:
            raise Refusal(400, "A part of the multipart body has no name.")
        try:
            self.pairs.append((options[b"name"].decode(), self._data.decode()))
        except UnicodeDecodeError:
            raise Refusal(400, "The form is not encoded as UTF-8.") from None


def _with_letters(body: bytes) -> bytes:
    """Decode the escapes of letters: parse_qsl takes 0.1 s for those of the longest post."""
    return _ESCAPED_LETTERS.sub(lambda run: bytes.fromhex(run[0].replace(b"%", b"").decode()), body)


def _check_json_length(body: bytes) -> None:
    """Raise Refusal (413) for too many characters; an escape such as \\u6f22 counts as one."""
    if len(body) > MAX_CHARACTERS:
        _check_length(len(_ESCAPE.sub(b"x", body).decode()))


def _check_length(characters: int) -> None:
    if characters > MAX_CHARACTERS:
        raise Refusal(413, f"The answers are too long: at most {MAX_CHARACTERS:,} characters.")


def _collected(pairs: list[tuple[str, str]], size: int) -> Texts:
    texts: Texts = {}
    if size > MAX_CHARACTERS:
        _check_length(sum(len(name) + len(text) for name, text in pairs))
    for name, text in pairs:
        _check(name, text, MAX_DEPTH)
        texts.setdefault(name, []).append(text)
    return texts


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        repeated_name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise Refusal(400, f"{repeated_name!r} is given twice.")
    return members


_UNIQUE_NAMES = json.JSONDecoder(object_pairs_hook=_unique)


def _check(name: str, value: Any, depth: int) -> None:
    """Raise Refusal for NUL characters, which PostgreSQL cannot store, and for deep nesting."""
    if "\x00" in name or (isinstance(value, str) and "\x00" in value):
        raise Refusal(400, f"{name.replace(chr(0), '')!r} holds a NUL character: remove it.")
    if isinstance(value, dict | list) and depth == 0:
        raise Refusal(400, f"{name!r} is nested too deeply.")
    if isinstance(value, dict):
        for key, inner in value.items():
            _check(f"{name}.{key}", inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(name, inner, depth - 1)
