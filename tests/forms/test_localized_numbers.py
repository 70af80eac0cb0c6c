import pytest

from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.format.localized_numbers import read_localized, written
from leadgen.forms.format.validation import parse


@pytest.mark.parametrize(
    ("locale", "typed", "number"),
    [
        ("de", "10.000", 10000),
        ("de", "1.250", 1250),
        ("de", "12,5", 12.5),
        ("de", "1.250,50", 1250.5),
        ("de", "12.5", 12.5),
        ("de", "0.125", 0.125),
        ("de", "1,250", 1.25),
        ("de-AT", "10.000", 10000),
        ("pt-BR", "1.250.000,5", 1250000.5),
        ("es-AR", "10.000", 10000),
        ("fr", "1\u202f250,5", 1250.5),
        ("ru", "1\u00a0250", 1250),
        ("en", "10,000", 10000),
        ("en", "1,250,000.5", 1250000.5),
        ("en-GB", "1,250", 1250),
        ("en", "1.250", 1.25),
        ("hi", "1,00,000", 100000),
        ("en-IN", "10,00,000", 1000000),
        ("de-CH", "1'250.50", 1250.5),
        ("de-CH", "1\u2019250", 1250),
        ("ar", "\u0661\u0662\u066b\u0665", 12.5),
        ("ar", "\u0661\u066c\u0662\u0665\u0660", 1250),
        ("fa", "\u06f1\u06f2", 12),
        ("en", "\uff11\uff12\uff0e\uff15", 12.5),
        ("en", "\u22125", -5),
        ("en", "\u20135", -5),
        ("en", "\uff0b5", 5),
        ("en", "\u200e5\u200f", 5),
        ("en", " 7 ", 7),
        ("en", "-0", 0),
        ("en", "007", 7),
    ],
)
def test_number_is_read_in_the_language(locale, typed, number):
    assert read_localized(typed, locale) == number


@pytest.mark.parametrize(
    ("locale", "typed"),
    [
        ("en", "12,5"),
        ("en", "1,00,000"),
        ("en", "1.250,50"),
        ("en", "10,00"),
        ("de", "1.25.000"),
        ("de", "1234.567"),
        ("de", "1,250.50"),
        ("fr", "1.250"),
        ("ar", "1.250"),
        ("de-CH", "1.250"),
        ("es-MX", "1,250"),
        ("en-ZA", "1,250"),
        ("xx", "1,250"),
        ("en", "1 2 3"),
        ("en", "12 50"),
        ("en", "1 250,000"),
        ("en", "1_000"),
        ("en", "1e3"),
        ("en", "5\u00b2"),
        ("en", "\u00bd"),
        ("en", "5-"),
        ("en", "--5"),
        ("en", "5 %"),
        ("en", "nan"),
        ("en", ""),
        ("en", "9" * 5000),
        ("en", "1" + ",000" * 5000),
    ],
)
def test_text_with_no_or_two_readings_is_refused(locale, typed):
    assert read_localized(typed, locale) is None


@pytest.mark.parametrize("locale", ["en", "de", "fr", "ar", "de-CH", "en-ZA", "xx", "hi"])
def test_written_number_is_read_back(locale):
    for number in ("0", "12", "-3.5", "1250.25", "0.125"):
        assert read_localized(written(number, locale), locale) == float(number)


@pytest.mark.parametrize(
    "typed",
    [
        "２０２６－１２－２４",
        "٢٠٢٦-١٢-٢٤",
        " 2026-12-24 ",
        "2026\u221212\u221224",
        "\u200e2026-12-24",
    ],
)
def test_date_of_any_keyboard_is_read(typed):
    definition = Definition("T", (FieldDefinition("day", "date", "Day"),), locale="ja")
    assert parse(definition, {"day": [typed]}) == {"day": "2026-12-24"}


@pytest.mark.parametrize("typed", ["24.12.2026", "12/24/2026", "２０２６－０２－３０"])
def test_text_that_is_no_date_stays_as_typed(typed):
    definition = Definition("T", (FieldDefinition("day", "date", "Day"),), locale="de")
    assert parse(definition, {"day": [typed]}) == {"day": typed}
