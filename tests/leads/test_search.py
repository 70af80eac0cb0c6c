"""Searches find what a page shows, however it is typed."""

import unicodedata

import pytest
from django.core.management import call_command

from leadgen.leads.management.commands import index_contacts
from leadgen.leads.models import Company, Contact, Identity, Lead
from leadgen.lib.search.terms import MAX_WORDS, parse
from tests.factories import make_lead

pytestmark = pytest.mark.django_db

NUMBER = "+442079463183"


def search_names(text):
    """Return the names found among contacts; the leads of the same people must agree."""
    contacts = {contact.name for contact in Contact.objects.matching(text)}
    assert {lead.contact.name for lead in Lead.objects.matching(text)} == contacts
    return contacts


def person(name="Ada Byron", **fields):
    contact = Contact.objects.create(name=name, **fields)
    make_lead(contact=contact)
    return contact


@pytest.mark.parametrize(
    "typed",
    [
        "+44 20 7946 3183",
        "+442079463183",
        "020 7946 3183",
        "02079463183",
        "(020) 7946-3183",
        "+44 (0)20 7946 3183",
        "+44(0)2079463183",
        "+44 ( 0 ) 20 7946 3183",
        "+44 020 7946 3183",
        "0044 20 7946 3183",
        "0044 (0)20 7946 3183",
        "00442079463183",
        "011 44 20 7946 3183",
        "7946-3183",
        "7946 3183",
        "3183",
        "31 83",
        "183",
        "020.7946.3183",
        "020/7946 3183",
        "+44\u00a020\u00a07946\u00a03183",
        "+44\u202f20\u202f7946\u202f3183",
        "020‑7946–3183",
        "\u202a+44 20 7946 3183\u202c",
        "０２０　７９４６　３１８３",
        "٠٢٠٧٩٤٦٣١٨٣",
        "Ada 020 7946 3183",
        "020 7946 3183 byron",
        "020 7946 3183,",
    ],
)
def test_number_is_found_however_it_is_written(typed):
    person(phone=NUMBER)
    person("Other", phone="+442079463184")

    assert "Ada Byron" in search_names(typed)


@pytest.mark.parametrize("typed", ["020 7946 3184", "+44 20 7946 31", "0049 20 7946 3183", "31833"])
def test_other_number_is_not_found(typed):
    person(phone=NUMBER)

    assert search_names(typed) == (set() if typed != "+44 20 7946 31" else {"Ada Byron"})


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("+74951234567", "8 (495) 123-45-67"),
        ("+390612345678", "06 1234 5678"),
        ("+14155552671", "(415) 555-2671"),
        ("+14155552671", "1-415-555-2671"),
        ("+36301234567", "06 30 123 4567"),
        ("+442079463183;ext=12", "+44 20 7946 3183 ext. 12"),
        ("+442079463183;ext=12", "020 7946 3183 x12"),
        ("020 7946 3183", "02079463183"),
        ("020 7946 3183", "020 7946 3183"),
        ("ask for Ada, 7946 3183", "79463183"),
    ],
)
def test_numbers_of_other_countries_and_texts_are_found(stored, typed):
    person(phone=stored)

    assert search_names(typed) == {"Ada Byron"}


def test_digits_in_names_are_found_as_they_are_shown():
    mill = Company.objects.create(name="Unit 20 40 3M-Works")
    person(company=mill)

    for typed in ("unit 20 40", "20 40", "3M", "3m works", "Unit 20 40 3M-Works"):
        assert search_names(typed) == {"Ada Byron"}, typed


NAMES = {
    "Jürgen Müßig": ["Jurgen", "mussig", "JÜRGEN", "müßig", "MÜSSIG", "Müßig, Jürgen"],
    "José Álvarez": ["jose", "alvarez", "JOSÉ", "Álvarez"],
    "Łukasz Øster": ["Lukasz", "oster", "łukasz", "ØSTER"],
    "İpek Çağlayan": ["ipek", "caglayan", "İPEK"],
    "Ægir Þór": ["aegir", "thor", "ægir"],
    "Zoé Brontë": ["Zoé", "zoe", "Brontë", "BRONTE"],
    "李小龙": ["李小龙", "小龙", "龙", "李", "李 小龙"],
    "山田 が": ["山田", "が", "山 田"],
    "김민수": ["김", "민수", "김민수"],
    "محمد أحمد": ["محمد", "احمد", "أحمد"],
    "Пётр Ильич": ["петр", "ПЁТР", "ильич"],
    "Νίκος": ["νικος", "ΝΊΚΟΣ".lower()],
    "O’Brien": ["O'Brien", "O’Brien", "obrien", "O`Brien", "OʼBrien", "brien"],
    "D'Angelo": ["D’Angelo", "d'angelo", "angelo"],
    "Anne‑Marie Smith": ["Anne-Marie", "anne marie", "Anne‐Marie", "marie-smith"],
    "Bo Li": ["bo", "li", "Bo Li", "Li, Bo"],
    "Ａｄａ": ["ada", "Ａｄａ"],
    "Zero\u200bWidth": ["zerowidth", "Zero\u200bWidth"],
    "100% _real_": ["100%", "_real_", "100% _real_"],
}


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_name_is_found_in_any_form(name, form):
    stored = unicodedata.normalize(form, name)
    person(stored)
    person("Somebody Else")

    for typed in NAMES[name]:
        for other in ("NFC", "NFD"):
            assert search_names(unicodedata.normalize(other, typed)) == {stored}, typed


def test_long_name_is_found_by_all_of_it():
    name = " ".join(f"Name{n}" for n in range(30))[:200]
    person(name)

    assert search_names(name) == {name}
    assert search_names(f"{name} missing") == set()


@pytest.mark.parametrize(
    "typed", ["***", "'", "- –", " ".join(f"w{n}" for n in range(MAX_WORDS + 1))]
)
def test_text_without_words_or_with_too_many_matches_no_row(typed):
    person()

    assert search_names(typed) == set()


def test_second_address_and_number_are_found():
    contact = person(email="ada@example.com", phone=NUMBER)
    Identity.objects.create(contact=contact, kind="email", value="other@example.org")
    Identity.objects.create(contact=contact, kind="phone", value="+4930123456")
    contact.save()
    alone = contact.search

    Contact.objects.update(search="")
    Contact.objects.all().reindex()

    contact.refresh_from_db()
    assert contact.search == alone
    for typed in ("other@example.org", "OTHER@example.org", "030 123456"):
        assert search_names(typed) == {"Ada Byron"}


def test_words_are_parsed_once():
    assert parse("Ada ada Ada") == parse("Ada ada")
    assert parse("   ") == []


def test_command_indexes_contacts_of_an_older_release(capsys, monkeypatch):
    monkeypatch.setattr(index_contacts, "_CHUNK", 2)
    for n in range(5):
        contact = person(f"Ada {n}")
        Identity.objects.create(contact=contact, kind="email", value=f"second{n}@example.org")

    call_command("index_contacts")

    assert "5 contacts" in capsys.readouterr().out
    assert search_names("second3@example.org") == {"Ada 3"}


@pytest.mark.parametrize("typed", ["ada12345678@example.com", "12345678", "da12345678@exa"])
def test_word_with_long_number_is_found_whole(typed):
    person(email="ada12345678@example.com")
    person("Bob", email="bob12345679@example.com")
    assert search_names(typed) == {"Ada Byron"}


def test_word_with_long_number_needs_its_letters():
    person(email="ada12345678@example.com")
    assert search_names("bob12345678@example.com") == set()


def test_number_of_two_digits_begins_a_word():
    person("Suite 77", phone="")
    person("Line 177", phone="")
    assert search_names("77") == {"Suite 77"}
