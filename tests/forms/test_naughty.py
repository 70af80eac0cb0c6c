import pytest

from leadgen.forms.format.definition import Definition
from leadgen.forms.format.fields import KINDS
from leadgen.forms.format.validation import parse, validate
from leadgen.forms.page import form_page, hidden_inputs, message_page, thanks_page
from tests.forms.samples import Reader, ask, form_of

# Beyond the list: what HTML itself would change if it were written as it is.
MORE = [
    "\nfirst line is empty",
    "a\r\nb\rc",
    "</textarea><b>",
    "]]>",
    "<!--leadgen:hidden-->",
    "&amp;",
]
TYPED = ["text", "long_text", "email", "phone", "number", "date", "hidden"]


@pytest.fixture
def lines(naughty_strings):
    return [*naughty_strings, *MORE]


@pytest.mark.parametrize("kind", KINDS)
def test_every_line_is_kept_as_it_is_or_refused_with_a_message(kind, lines):
    for line in lines:
        form = form_of(ask(kind))
        for answer in (line, [line], {"answer": line}):
            cleaned, errors = validate(form, {"answer": answer})
            assert errors.get("answer") or cleaned.get("answer", line) == line
        cleaned, errors = validate(form, parse(form, {"answer": [line]}))
        assert "answer" not in cleaned or "answer" not in errors


def test_every_line_is_a_text(lines):
    for line in lines:
        for kind in ("text", "long_text"):
            assert validate(form_of(ask(kind)), {"answer": line})[1] == {}


@pytest.mark.parametrize("kind", TYPED)
def test_every_line_is_shown_again_exactly_and_adds_no_element(kind, lines):
    form = form_of(ask(kind))
    plain = len(Reader(form_page(form, values={"answer": ["x"]})).elements)
    for line in lines:
        reader = Reader(form_page(form, values={"answer": [line]}))

        assert reader.shown("answer") == line
        assert len(reader.elements) == plain


def test_every_line_is_harmless_as_a_text_of_the_form_itself(lines):
    plain = len(Reader(form_page(Definition("x", (ask("text", help="x"),), "x"))).elements)
    for line in filter(str.strip, lines):
        field = ask("text", help=line, placeholder=line)
        form = Definition(line, (field,), line.replace("\n", " ").replace("\r", " "))
        reader = Reader(form_page(form))

        assert len(reader.elements) == plain
        assert reader.control("answer")["placeholder"] == line


def test_naughty_strings_are_escaped_outside_of_answers(lines):
    thanks = len(Reader(thanks_page(form_of(), "x")).elements)
    for line in lines:
        assert Reader(hidden_inputs({"_referrer": line})).shown("_referrer") == line
        assert len(Reader(thanks_page(form_of(), line)).elements) == thanks
        assert "<script" not in message_page(line, line)


def test_unshowable_characters_become_replacement_characters():
    page = form_page(form_of(ask("text")), values={"answer": ["a\x00b\ud800c"]})

    assert page.encode()
    assert Reader(page).shown("answer") == "a\ufffdb\ufffdc"
