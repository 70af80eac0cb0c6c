import re

import pytest

from leadgen.forms.format.definition import FieldDefinition
from leadgen.forms.format.fields import KINDS
from leadgen.forms.format.json_schema import json_schema
from leadgen.forms.format.validation import parse, validate
from leadgen.forms.page import form_page, message_page, thanks_page
from tests.forms.samples import Reader, ask, form_of


def page_of(*fields, values=None, errors=None, **texts):
    return Reader(form_page(form_of(*fields, **texts), values=values, errors=errors))


def test_form_posts_to_its_address_with_another_spelling():
    """A post to the very address of the page would replace the page in the browser's history."""
    (form,) = page_of(ask("text")).of(tag="form")

    assert form == {"tag": "form", "method": "post", "action": "?", "accept-charset": "utf-8"}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"hidden"}))
def test_every_control_has_a_label_help_and_message(kind):
    errors = {"answer": ["Not like this."]}
    reader = page_of(ask(kind, help="Some help."), errors=errors)
    ids = {element["id"] for element in reader.elements if "id" in element}
    controls = [control for control in reader.controls if control["name"] == "answer"]
    tied = reader.of(**{"aria-describedby": "h-answer e-answer"})

    assert {"h-answer", "e-answer", "f-answer"} <= ids
    assert len(tied) == 1
    wrapped = kind in ("choice", "multiple_choice", "yes_no")
    assert wrapped or all(reader.of(tag="label", **{"for": c["id"]}) for c in controls)
    assert len(reader.of(tag="fieldset")) == wrapped


def test_messages_are_listed_on_top_with_links_to_controls():
    fields = (ask("choice"), FieldDefinition("email", "email", "Email"))
    errors = {"email": ["Not an address."], "answer": ["Choose."], "": ["Too late."]}
    reader = page_of(*fields, values={}, errors=errors)
    links = [link["href"] for link in reader.of(tag="a")]

    assert "2 fields need your attention" in reader.text
    assert "Too late." in reader.text
    assert links == ["#f-answer", "#f-email"]
    assert reader.of(role="alert", tabindex="-1", autofocus="")
    assert "Error: A form" in reader.text


@pytest.mark.parametrize(
    ("errors", "heading"),
    [
        ({"answer": ["No."]}, "1 field needs your attention"),
        ({"": ["No."]}, "This could not be sent"),
    ],
)
def test_the_heading_of_the_messages_counts_right(errors, heading):
    assert heading in page_of(ask("text"), errors=errors).text


def test_page_without_messages_has_no_alert_or_autofocus():
    reader = page_of(ask("text"))

    assert not reader.of(role="alert")
    assert not [e for e in reader.elements if "autofocus" in e or "aria-invalid" in e]


def test_page_has_no_inline_code_and_no_foreign_resource():
    page = form_page(form_of(*(FieldDefinition(f"f_{k}", k, k, wording="x") for k in KINDS)))

    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", page)
    assert re.findall(r'(?:src|href)="([^"#]*)"', page) == [
        "data:,",
        "/static/leadgen/hosted.css",
        "/static/leadgen/hosted.js",
    ]


def test_page_has_a_hidden_honeypot_field():
    trap = page_of(ask("text")).control("_url")

    assert trap["tabindex"] == "-1"
    assert trap["autocomplete"] == "off"
    assert page_of(ask("text")).of(**{"aria-hidden": "true", "class": "away"})


@pytest.mark.parametrize(
    ("kind", "fills", "attributes"),
    [
        ("text", "first_name", {"autocomplete": "given-name"}),
        ("text", "company", {"autocomplete": "organization"}),
        ("email", "email", {"autocomplete": "email", "inputmode": "email"}),
        ("email", "email", {"autocapitalize": "none", "spellcheck": "false"}),
        ("phone", "", {"autocomplete": "tel", "type": "tel"}),
        ("number", "", {"inputmode": "decimal"}),
        ("country", "country", {"autocomplete": "country"}),
        ("date", "", {"type": "date"}),
    ],
)
def test_controls_have_autocomplete_and_inputmode(kind, fills, attributes):
    control = page_of(ask(kind, fills=fills)).control("answer")

    assert control | attributes == control


def test_optional_field_is_marked_as_optional():
    assert "(optional)" in page_of(ask("text")).text
    assert "(optional)" not in page_of(ask("text", required=True)).text
    assert "required" in page_of(ask("text", required=True)).control("answer")


def test_consent_shows_its_wording_and_is_not_ticked():
    reader = page_of(ask("consent", wording="I agree to <all> & everything."))

    assert "I agree to <all> & everything." in reader.text
    assert "checked" not in reader.control("answer")


def test_default_region_of_a_phone_is_not_its_initial_value():
    field = ask("phone", default="GB")
    assert Reader(form_page(form_of(field))).shown("answer") == ""
    assert "default" not in json_schema(form_of(field))["properties"]["answer"]


def test_default_is_shown_until_the_visitor_changes_it():
    field = ask("text", default="Berlin")

    assert page_of(field).shown("answer") == "Berlin"
    assert page_of(field, values={"answer": [""]}).shown("answer") == ""


def test_unparsable_date_is_shown_as_typed():
    control = page_of(ask("date"), values={"answer": ["31 March"]}).control("answer")

    assert (control["type"], control["value"]) == ("text", "31 March")


def test_countries_are_listed_by_name_whatever_their_accents():
    options = page_of(ask("country")).control("answer")["options"]
    codes = [option["value"] for option in options]

    assert codes[:4] == ["", "AF", "AX", "AL"]
    assert codes[codes.index("XK") + 1] == "KW"
    assert len(codes) == 251


def test_the_language_sets_the_direction():
    assert page_of(locale="ar-EG").of(tag="html", lang="ar-EG", dir="rtl")
    assert page_of(locale="de").of(tag="html", lang="de", dir="ltr")


@pytest.mark.parametrize(
    ("locale", "lang", "direction"),
    [
        ("ar_EG", "ar-EG", "rtl"),
        ("ckb", "ckb", "rtl"),
        ("dv", "dv", "rtl"),
        ("English",) * 2 + ("ltr",),
    ],
)
def test_page_language_is_canonical_with_its_direction(locale, lang, direction):
    assert page_of(locale=locale).of(tag="html", lang=lang, dir=direction)


@pytest.mark.parametrize("kind", ["choice", "yes_no"])
def test_optional_radio_buttons_end_with_no_answer(kind):
    reader = page_of(ask(kind))
    assert reader.of(type="radio", name="answer", value="", id="f-answer-none")
    assert "No answer" in reader.text
    assert not page_of(ask(kind, required=True)).of(type="radio", value="")
    form = form_of(ask(kind))
    assert validate(form, parse(form, {"answer": [""]})) == ({}, {})


def test_number_default_is_written_in_the_forms_language():
    field = ask("number", default="1.250")
    assert page_of(field, locale="de").shown("answer") == "1,250"
    assert page_of(field).shown("answer") == "1.250"
    assert json_schema(form_of(field, locale="de"))["properties"]["answer"]["default"] == 1.25


def test_optional_date_has_a_hint_that_it_may_be_empty():
    assert "Leave it empty if no date is fixed." in page_of(ask("date", help="A day.")).text
    assert "Leave it empty" not in page_of(ask("date", required=True)).text


def test_message_of_a_consent_is_listed_by_its_wording():
    field = ask("consent", wording="Send me the newsletter " + "and more " * 30)
    listed = page_of(field, values={}, errors={"answer": ["Tick."]}).text
    (shown,) = re.findall(r"Send me the newsletter[^:]*…", listed)
    assert len(shown) <= 60


def test_product_texts_are_marked_as_english():
    page = form_page(form_of(ask("choice"), locale="de"), errors={"answer": ["No."]})
    assert re.findall(r'lang="en"[^>]*>([^<]+)<', page)[-4:] == [
        "(optional)", "No answer", "No.", "Leave this empty",
    ]  # fmt: skip


def test_thank_you_page_redirects_to_the_given_address():
    page = thanks_page(form_of(redirect_url="https://bücher.example/d?a=1&b=2"), "1")
    assert 'content="0; url=https://bücher.example/d?a=1&amp;b=2"' in page
    assert Reader(page).of(tag="a", href="https://bücher.example/d?a=1&b=2")
    assert "http-equiv" not in thanks_page(form_of(redirect_url="javascript:alert(1)"), "1")
    assert "http-equiv" not in thanks_page(form_of(), "1")


def test_the_thank_you_page_names_the_receipt():
    form = form_of(thanks_title="Got it", thanks_text="We write <soon>.\nReally.")
    page = thanks_page(form, "0193584a-6c1e-7b2d-9e44-5a0f3d2c1b7e")

    assert "We write &lt;soon&gt;.<br>Really." in page
    assert "0193584a-6c1e-7b2d-9e44-5a0f3d2c1b7e" in page
    assert "data-sent" in page


def test_message_page_shows_text_without_a_form():
    page = message_page("Not here", "No such form & none like it.")

    assert "<h1>Not here</h1>" in page
    assert "none like it" in page
    assert "<form" not in page
