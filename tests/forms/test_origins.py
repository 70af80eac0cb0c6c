import re

import pytest
from django.core.exceptions import ValidationError

from leadgen.forms.models import Form
from leadgen.forms.origins import origin_of


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("https://WWW.Example.com/contact?x=1#y", "https://www.example.com"),
        ("HTTPS://example.com:443/", "https://example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://FUSSBALL-straße.example", "https://xn--fussball-strae-dgb.example"),
        ("https://βόλος.example", "https://xn--nxasmm1c.example"),
        ("https://i❤.example", "https://xn--i-7iq.example"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("*", "*"),
    ],
)
def test_a_website_is_kept_as_browsers_name_it(written, origin):
    assert origin_of(written) == origin


@pytest.mark.parametrize(
    "written",
    [
        "www.example.com",
        "ftp://example.com",
        "https://",
        "https://*.example.com",
        "http://a:b",
        "https://[",
        "javascript:alert(1)",
        "https://a;script-src",
        f"https://{'a' * 99}.example",
    ],
)
def test_error_names_the_invalid_website(written):
    form = Form(title="T", slug="t", allowed_origins=f"https://example.com\n{written}")
    with pytest.raises(ValidationError, match=re.escape(f"{written} is no website")):
        form.clean()


def test_websites_of_a_form_are_normalized_before_storage():
    form = Form(title="T", slug="t", allowed_origins=" https://Example.com/  https://b.example ")
    form.full_clean(validate_unique=False)
    assert form.origins == ["https://example.com", "https://b.example"]
