import pytest
from django.core.exceptions import ImproperlyConfigured

from leadgen.lib import env


@pytest.fixture
def given(monkeypatch):
    return lambda value: monkeypatch.setenv("SAMPLE", value)


@pytest.fixture
def given_file(monkeypatch, tmp_path):
    def give(text):
        path = tmp_path / "secret"
        path.write_text(text)
        monkeypatch.setenv("SAMPLE_FILE", str(path))

    return give


def test_unset_variable_has_its_default():
    assert env.string("SAMPLE", "fallback") == "fallback"
    assert env.integer("SAMPLE", 7) == 7
    assert env.boolean("SAMPLE", True)
    assert env.listing("SAMPLE", "a,b") == ["a", "b"]
    assert not env.is_set("SAMPLE")


def test_an_empty_value_counts_as_not_set(given):
    given("")
    assert env.string("SAMPLE", "fallback") == "fallback"
    assert not env.is_set("SAMPLE")


def test_last_line_break_of_a_file_is_removed(given_file):
    given_file("from a file\n")
    assert env.string("SAMPLE") == "from a file"
    assert env.is_set("SAMPLE")


def test_value_overrides_the_file(given, given_file):
    given("from the environment")
    given_file("from a file")
    assert env.string("SAMPLE") == "from the environment"


def test_a_file_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("SAMPLE_FILE", "/no/such/file")
    with pytest.raises(ImproperlyConfigured, match="SAMPLE_FILE=/no/such/file cannot be read"):
        env.string("SAMPLE")


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("42", 42), ("-1", -1), (" 8 ", 8)])
def test_whole_numbers_are_read(given, text, value):
    given(text)
    assert env.integer("SAMPLE", 7) == value


@pytest.mark.parametrize("text", ["many", "1.5", "0x10", "1e3"])
def test_anything_else_is_refused_by_name(given, text):
    given(text)
    with pytest.raises(ImproperlyConfigured, match="SAMPLE must be a whole number"):
        env.integer("SAMPLE", 7)


SWITCHES = {"1": True, "TRUE": True, "yes": True, "0": False, "False": False, "off": False}


@pytest.mark.parametrize(("text", "value"), SWITCHES.items())
def test_switches_are_read(given, text, value):
    given(text)
    assert env.boolean("SAMPLE", not value) is value


def test_a_switch_that_is_neither_is_refused_by_name(given):
    given("maybe")
    with pytest.raises(ImproperlyConfigured, match="SAMPLE must be true or false, not 'maybe'"):
        env.boolean("SAMPLE", False)


def test_a_listing_is_trimmed_and_empty_parts_are_left_out(given):
    given(" a.example.com , ,b.example.com,")
    assert env.listing("SAMPLE") == ["a.example.com", "b.example.com"]
