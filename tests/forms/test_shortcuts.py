"""What is accepted without asking a library is what the library accepts."""

import re

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgen.forms.format.fields import texts

LOCALS = st.from_regex(re.compile(r"[\w.+-]{1,70}", re.ASCII), fullmatch=True)
LABELS = st.from_regex(re.compile(r"[A-Za-z0-9-]{1,66}"), fullmatch=True)
ENDINGS = st.sampled_from(["com", "Co.UK", "test", "LOCAL", "arpa", "c", "xn--p1ai", "c0m", "x-y"])
ADDRESSES = st.builds(
    lambda local, labels, end: f"{local}@{'.'.join([*labels, end])}",
    LOCALS,
    st.lists(LABELS, max_size=4),
    ENDINGS,
)
CODES = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)) | st.integers(1, 999)
NUMBERS = st.builds("+{} {}".format, CODES, st.from_regex(r"\A([0-9][ -]?){1,14}[0-9]\Z"))


def is_valid(address):
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


@settings(max_examples=500)
@given(ADDRESSES)
def test_an_ordinary_address_is_one_that_the_library_accepts(address):
    assert is_valid(address) or not texts._ORDINARY_EMAIL.match(address)


@settings(max_examples=500)
@given(NUMBERS)
def test_phone_fast_path_agrees_with_the_library(number):
    assert texts.read_phone(number) or not texts._is_plainly_possible(number)


@pytest.mark.parametrize("address", ["ada@example.com", "Ada.L+spam@mail.example.co.uk"])
def test_common_addresses_match_the_fast_path(address):
    assert texts._ORDINARY_EMAIL.match(address)


@pytest.mark.parametrize("number", ["+44 20 7946 0958", "+1 650-253-0000", "+4930901820"])
def test_common_numbers_match_the_fast_path(number):
    assert texts._is_plainly_possible(number)


@pytest.mark.parametrize("address", ["a" * 40_000, "a." * 20_000 + "@", "a@" + "a-." * 20_000])
def test_long_text_does_not_match_the_fast_path(address):
    assert not texts._ORDINARY_EMAIL.match(address)
