from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, strategies

from leadgen.lib.net.http_errors import InvalidUrlError
from leadgen.lib.net.outbound_url import join, parse


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://Example.COM:443/A", "https://example.com/A"),
        ("https://example.com:80/", "https://example.com:80/"),
        ("http://example.com./a?b=c#d", "http://example.com/a?b=c"),
        ("http://under_score.example.com/", "http://under_score.example.com/"),
        ("https://bücher.example.com/ä?ö", "https://xn--bcher-kva.example.com/%C3%A4?%C3%B6"),
        ("https://example.com/a%2Fb?c=%26[]", "https://example.com/a%2Fb?c=%26[]"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
        ("https://93.184.216.34/", "https://93.184.216.34/"),
        ("https://1password.example/", "https://1password.example/"),
        ("https://xn--fa-hia.example.com/", "https://xn--fa-hia.example.com/"),
    ],
)
def test_plain_url_has_one_written_form(url, parsed):
    assert str(parse(url)) == parsed


@pytest.mark.parametrize(
    ("location", "joined"),
    [
        ("/c?d", "https://example.com:8443/c?d"),
        ("c", "https://example.com:8443/a/c"),
        ("../c", "https://example.com:8443/c"),
        ("?d", "https://example.com:8443/a/b?d"),
        ("//other.example.com/c", "https://other.example.com/c"),
        ("https://other.example.com", "https://other.example.com/"),
        ("#e", "https://example.com:8443/a/b?q"),
    ],
)
def test_location_is_relative_to_the_answering_url(location, joined):
    assert str(join(parse("https://example.com:8443/a/b?q"), location)) == joined


@pytest.mark.parametrize(
    "location", ["/ä", "/a b", "\\\\example.com", "/a\tb", "http://[", "mailto:a"]
)
def test_location_that_is_no_http_url_is_refused(location):
    with pytest.raises(InvalidUrlError):
        join(parse("https://example.com/"), location)


_PARTS = ["http://", "https:", "//", "@", ":", "80", "[", "]", "::1", "%", "0x7f", "127", ".", "/"]


@given(
    strategies.lists(
        strategies.sampled_from([*_PARTS, "?", "#", "\\", "①", "。", "ß", "example", "com"])
        | strategies.text(max_size=3),
        max_size=12,
    ).map("".join)
)
@example("http://a//b")
@example("http://a/?")
@example("http://xn--a")
@example("http://₀.example")
def test_parsed_url_is_read_the_same_again(url):
    try:
        first = parse("http://" + url)
    except InvalidUrlError:
        return
    assert parse(str(first)) == first
    assert urlsplit(str(first)).hostname == first.host
    assert str(first).isascii()
