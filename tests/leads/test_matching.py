import unicodedata
from time import process_time

import phonenumbers
import pytest

from leadgen.forms.format.definition import CONTACT_FIELDS, Definition, FieldDefinition
from leadgen.leads.intake import matching

FORM = Definition(
    title="Everything",
    fields=tuple(
        FieldDefinition(f"{fills}_field", "text", fills, fills=fills) for fills in CONTACT_FIELDS
    ),
)


def read(**answers):
    return matching.read(FORM, {f"{name}_field": value for name, value in answers.items()})


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("  Ada@Example.COM ", "ada@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada+news@example.com", "ada+news@example.com"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada", ""),
        ("\u200eada\u200b@example.com\ufeff", "ada@example.com"),
        ("ada@", ""),
        ("ada @example.com", ""),
        ("a@b@example.com", ""),
        (f"{'a' * 320}@example.com", ""),
    ],
)
def test_an_email_is_known_by_its_exact_normal_form(typed, key):
    assert matching.email_key(typed) == key


@pytest.mark.parametrize(
    ("typed", "country", "key"),
    [
        ("+49 30 901820", "", "+4930901820"),
        (" +49 (0)30 / 901-820 ", "", "+4930901820"),
        ("0049 30 901820", "", "+4930901820"),
        ("030 901820", "DE", "+4930901820"),
        ("030 901820", "", ""),
        ("\u202a+49 30 901820\u202c", "", "+4930901820"),
        ("\u2066+49 30 901820\u2069", "", "+4930901820"),
        ("\u200b\u200e+49 30\u00ad901820\ufeff", "", "+4930901820"),
        ("tel:+4930901820", "", "+4930901820"),
        ("Tel.: +49 30 901820", "", "+4930901820"),
        ("(+49) 30 901820", "", "+4930901820"),
        ("(0049) 30 901820", "", "+4930901820"),
        ("＋４９ ３０ ９０１８２０", "", "+4930901820"),
        ("+49 30−90–18—20", "", "+4930901820"),
        ("+49 30·901820", "", "+4930901820"),
        ("+٤٩ ٣٠ ٩٠١٨٢٠", "", "+4930901820"),
        ("+1 202 555 0143 ext. 7", "", "+12025550143;ext=7"),
        ("+1 650 253 0000 extension 136", "", "+16502530000;ext=136"),
        ("+1 650 253 0000 extn 136", "", "+16502530000;ext=136"),
        ("+1 650 253 0000 extensión 136", "", "+16502530000;ext=136"),
        ("+1 650 253 0000 (ext. 136)", "", "+16502530000;ext=136"),
        ("+1 650 253 0000 Ext: 136", "", "+16502530000;ext=136"),
        ("+1-650-253-0000-x136", "", "+16502530000;ext=136"),
        ("+5215512345678", "", "+525512345678"),
        ("+52 1 55 1234 5678", "", "+525512345678"),
        ("00521 (55) 1234-5678", "", "+525512345678"),
        ("+52 155 123 4567", "", ""),
        ("call +49 30 901820 please", "", ""),
        ("+49", "", ""),
        ("12345", "DE", ""),
        ("+1 000 000 0000", "", ""),
        ("", "DE", ""),
        ("+4930901820" * 40, "", ""),
    ],
)
def test_a_phone_is_known_by_its_whole_number(typed, country, key):
    assert matching.phone_key(typed, country) == key


@pytest.mark.parametrize("tail", [" " * 20_000, " ," * 10_000, "\u00a0" * 20_000, "-" * 20_000])
def test_text_of_a_phone_is_read_in_linear_time(tail):
    started = process_time()
    assert matching.phone_key(f"+49 30 901820{tail}x", "DE") == ""
    assert process_time() - started < 0.5


def test_text_of_an_email_is_read_in_linear_time():
    started = process_time()
    assert matching.email_key("a" + "\u0315\u0300" * 40_000 + "@example.com") == ""
    assert process_time() - started < 0.5


def test_decomposed_email_of_the_longest_length_is_an_identity():
    local = "\u1ec7" * 300  # e with two marks
    decomposed = unicodedata.normalize("NFD", local)
    assert matching.email_key(f"{decomposed}@example.com") == f"{local}@example.com"


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_number_has_one_key_in_every_notation(region):
    number = phonenumbers.example_number(region)
    assert number
    styles = phonenumbers.PhoneNumberFormat
    keys = {
        matching.phone_key(phonenumbers.format_number(number, style))
        for style in (styles.E164, styles.INTERNATIONAL)
    }
    assert keys == {phonenumbers.format_number(number, styles.E164)}


def test_answers_fill_the_attributes_of_their_fields():
    facts = read(
        name=" Ada  Lovelace\n", email="Ada@Example.com", phone="030 901820", country="de",
        company="Engines", job_title="Countess", message=" Hello ",
    )  # fmt: skip
    assert (facts.name, facts.company, facts.job_title) == ("Ada Lovelace", "Engines", "Countess")
    assert (facts.country, facts.message, facts.phone) == ("DE", "Hello", "+4930901820")
    assert facts.email == "Ada@Example.com"
    assert facts.keys == (("email", "ada@example.com"), ("phone", "+4930901820"))


@pytest.mark.parametrize(
    ("region", "country", "key"),
    [("GB", "", "+442079460958"), ("GB", "DE", "+442079460958"), ("", "GB", "+442079460958")],
)
def test_local_number_is_read_by_the_country_of_the_form(region, country, key):
    phone = FieldDefinition("phone", "phone", "Phone", default=region, fills="phone")
    form = Definition(
        "Call", (phone, FieldDefinition("country", "text", "Country", fills="country"))
    )
    facts = matching.read(form, {"phone": "020 7946 0958", "country": country})
    assert (facts.phone, facts.keys) == (key, (("phone", key),))


def test_invalid_number_is_read_by_the_persons_country():
    phone = FieldDefinition("phone", "phone", "Phone", default="US", fills="phone")
    form = Definition(
        "Call", (phone, FieldDefinition("country", "text", "Country", fills="country"))
    )
    facts = matching.read(form, {"phone": "030 901820", "country": "DE"})
    assert facts.phone == "+4930901820"


def test_full_name_is_composed_of_first_and_last_name():
    assert read(first_name="Ada", last_name="Lovelace").name == "Ada Lovelace"
    assert read(last_name="Lovelace").name == "Lovelace"


def test_long_answers_are_cut_to_the_column_lengths():
    facts = read(name="n" * 999, email="e" * 999, phone="p" * 999, company="c" * 999)
    assert [len(v) for v in (facts.name, facts.email, facts.phone, facts.company)] == [
        200, 320, 64, 200,
    ]  # fmt: skip
    assert all(v.endswith("…") for v in (facts.name, facts.email, facts.phone, facts.company))


def test_number_with_a_long_extension_is_not_cut():
    facts = read(phone="+44 20 7946 0958 ext. 12345678901234567890")
    assert facts.phone == "+442079460958;ext=12345678901234567890"


def test_a_countrys_name_is_never_cut_to_another_countrys_code():
    assert read(country="Germany").country == ""


def test_answers_that_are_no_text_are_converted():
    facts = read(name=7, company=["A", "B"], message=True, job_title=None)
    assert (facts.name, facts.company, facts.message, facts.job_title) == ("7", "A, B", "", "")
    assert facts.keys == ()


def row(*keys, name=""):
    return matching.PersonDetails(name=name, keys=keys)


def test_rows_of_one_person_are_grouped_by_any_identity():
    email, phone, other = ("email", "a@x"), ("phone", "+1"), ("email", "b@x")
    rows = [row(email, phone), row(phone), row(other), row(email), row()]
    assert matching.group(rows, {}, {})[0] == [-1, -1, -3, -1, -5]


def test_known_email_precedes_known_phone():
    email, phone = ("email", "a@x"), ("phone", "+1")
    persons, owners = matching.group([row(email, phone)], {email: 10, phone: 20}, {})
    assert persons == [10]
    assert owners == {email: 10, phone: 20}


@pytest.mark.parametrize(
    ("name", "email", "is_same"),
    [
        ("Bernd Example", "bernd@x", False),
        ("Anna Other", "other@x", False),
        ("Anna Example", "other@x", True),
        ("anna", "other@x", True),
        ("Example, Anna", "other@x", True),
        ("A. Example", "other@x", True),
        ("ÁNNA  Éxample", "other@x", True),
        ("", "bernd@x", True),
        ("Bernd Example", "", True),
        ("Bernd Example", "anna@x", True),
    ],
)
def test_other_name_and_email_outweigh_a_shared_phone(name, email, is_same):
    phone = ("phone", "+1")
    keys = (("email", email), phone) if email else (phone,)
    profiles = {10: matching.Profile("Anna Example", "Anna@x")}
    persons, owners = matching.group([row(*keys, name=name)], {phone: 10}, profiles)
    assert (persons == [10]) == is_same
    assert owners[phone] == 10


def test_colleagues_in_one_batch_share_a_phone_only():
    phone = ("phone", "+1")
    people = [
        row(("email", "a@x"), phone, name="Anna"),
        row(("email", "b@x"), phone, name="Bernd"),
        row(("email", "b@x"), name="Bernd"),
        row(phone, name="Clara"),
    ]
    assert matching.group(people, {}, {})[0] == [-1, -2, -2, -1]
