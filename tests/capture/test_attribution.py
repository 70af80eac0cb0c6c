from time import process_time

import pytest

from leadgen.capture.attribution import context_of, marks_in, source_and_medium, truncated


def context(**sent):
    return context_of(sent, channel="api", address="", user_agent="", language="")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, ("direct", "none")),
        ({"utm": {"source": " Google ", "medium": "CPC"}}, ("google", "cpc")),
        ({"utm": {"source": "news"}}, ("news", "none")),
        ({"utm": {"source": "news"}, "click_ids": {"gclid": "1"}}, ("news", "cpc")),
        ({"utm": {"medium": "email"}}, ("direct", "email")),
        ({"click_ids": {"gbraid": "1"}}, ("google", "cpc")),
        ({"click_ids": {"msclkid": "1"}}, ("bing", "cpc")),
        ({"click_ids": {"fbclid": "1"}, "referrer": "https://t.co/"}, ("facebook", "social")),
        ({"click_ids": {"li_fat_id": "1"}}, ("linkedin", "cpc")),
        ({"referrer": "https://www.google.co.uk/"}, ("google", "organic")),
        ({"referrer": "https://duckduckgo.com/"}, ("duckduckgo", "organic")),
        ({"referrer": "https://de.search.yahoo.com/x"}, ("yahoo", "organic")),
        ({"referrer": "https://mail.google.com/"}, ("mail.google.com", "referral")),
        (
            {"referrer": "https://www.google.com.evil.example/"},
            ("google.com.evil.example", "referral"),
        ),
        ({"referrer": "https://lnkd.in/x"}, ("linkedin", "social")),
        ({"referrer": "https://l.facebook.com/"}, ("facebook", "social")),
        ({"referrer": "https://www.partner.example/a"}, ("partner.example", "referral")),
        (
            {"referrer": "https://a.example/1", "page_url": "https://a.example/2"},
            ("direct", "none"),
        ),
        ({"referrer": "not a url"}, ("direct", "none")),
        ({"referrer": "http://[broken"}, ("direct", "none")),
    ],
)
def test_source_and_medium_name_the_last_touch(sent, expected):
    assert source_and_medium(context(**sent)) == expected


@pytest.mark.parametrize("label", ["ca.", "www.", "m.", "de.", "lite.", "google.", "a."])
def test_referrer_of_many_labels_is_read_in_linear_time(label):
    # The intake reads referrers: a stranger's stopped it, since the time doubled with each label.
    started = process_time()
    source_and_medium({"referrer": f"https://{label * 300}x/"})
    assert process_time() - started < 0.5


def test_every_mark_in_an_address_is_found():
    url = "https://a.example/?utm_source=s&utm_source_platform=p&utm_id=7&wbraid=W&ttclid=T&x=1"
    assert marks_in(url) == {
        "utm": {"source": "s", "id": "7", "source_platform": "p"},
        "click_ids": {"wbraid": "W", "ttclid": "T"},
    }


def test_the_first_of_two_equal_marks_counts():
    assert marks_in("?utm_source=a&utm_source=b")["utm"] == {"source": "a"}


def test_a_mark_that_is_no_text_still_reads():
    assert marks_in("?utm_source=%FF")["utm"] == {"source": "\ufffd"}


def test_address_with_a_thousand_marks_yields_none():
    assert marks_in("?" + "utm_source=a&" * 1000) == {}


def test_sent_attribution_overrides_the_page_address():
    page = "https://a.example/?utm_source=page"
    assert context(page_url=page, utm={"source": "sent"})["utm"] == {"source": "sent"}


def test_empty_and_garbled_parts_are_left_out():
    garbled = context(page_url=7, referrer="", utm=[], click_ids={"gclid": None}, first_touch="x")
    assert garbled == {"channel": "api"}


def test_long_texts_are_cut():
    cut = context(page_url="https://a.example/" + "x" * 9000, utm={"source": "s" * 9000})
    assert (len(cut["page_url"]), len(cut["utm"]["source"])) == (2000, 200)


def test_characters_postgresql_cannot_store_are_dropped():
    assert context(referrer="a\x00b\ud800c")["referrer"] == "abc"


def test_unknown_keys_are_dropped():
    assert context(utm={"source": "a", "evil": "b"}, more="x") == {
        "channel": "api",
        "utm": {"source": "a"},
    }


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(5, 5), ("5", 5), (10**12, 86_400_000), (-1, None), (True, None), ("٣", None), (1.5, None)],
)
def test_elapsed_time_is_whole_milliseconds_up_to_a_day(sent, kept):
    assert context(elapsed_ms=sent).get("elapsed_ms") == kept


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3::4", "2001:db8:1::"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_only_the_network_of_an_address_is_kept(address, network):
    assert truncated(address) == network


@pytest.mark.parametrize(
    ("referrer", "source"),
    [
        ("android-app://com.google.android.googlequicksearchbox/", "google"),
        ("android-app://com.google.android.googlequicksearchbox/https/www.google.com", "google"),
        ("https://r.search.yahoo.com/", "yahoo"),
        ("https://cn.bing.com/", "bing"),
        ("https://www2.bing.com/", "bing"),
        ("https://ya.ru/", "yandex"),
        ("https://m.search.naver.com/", "naver"),
        ("https://lite.duckduckgo.com/", "duckduckgo"),
        ("https://search.brave.com/", "brave"),
        ("https://WWW.GOOGLE.DE./", "google"),
        ("https://images.google.com/", "google"),
    ],
)
def test_search_engines_are_known_at_every_address(referrer, source):
    assert source_and_medium(context(referrer=referrer)) == (source, "organic")


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        ("https://docs.google.com/", ("docs.google.com", "referral")),
        ("https://mail.yahoo.com/", ("mail.yahoo.com", "referral")),
        ("https://evilgoogle.com/", ("evilgoogle.com", "referral")),
        ("https://google.example.com/", ("google.example.com", "referral")),
        ("android-app://com.linkedin.android/", ("linkedin", "social")),
        ("android-app://org.example.reader/", ("org.example.reader", "referral")),
    ],
)
def test_other_hosts_are_no_search_engine(referrer, expected):
    assert source_and_medium(context(referrer=referrer)) == expected


@pytest.mark.parametrize("length", [2030, 8000, 60_000])
def test_marks_at_the_end_of_a_long_address_are_read(length):
    url = "https://a.example/?x=".ljust(length, "y") + "&gclid=G1&utm_source=late"
    read = context(page_url=url, first_touch={"page_url": url})
    for touch in (read, read["first_touch"]):
        assert (touch["utm"], touch["click_ids"]) == ({"source": "late"}, {"gclid": "G1"})
        assert len(touch["page_url"]) == 2000


def test_a_second_question_mark_separates_marks():
    marks = marks_in("https://a.example/?utm_source=a?fbclid=Z&utm_content=why?&utm_term=a?b=c")
    assert marks == {
        "utm": {"source": "a", "content": "why?", "term": "a?b=c"},
        "click_ids": {"fbclid": "Z"},
    }


def test_escaped_ampersands_separate_marks():
    assert marks_in("/?utm_source=a&amp;utm_medium=b")["utm"] == {"source": "a", "medium": "b"}


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/?UTM_SOURCE=News&Utm_Medium=Mail&GCLID=Ab1",
        "https://example.com/#utm_source=News&utm_medium=Mail&gclid=Ab1",
        "https://example.com/?page=2#/contact?utm_source=News&utm_medium=Mail&gclid=Ab1",
        "https://example.com/?a=1?UTM_SOURCE=News&utm_medium=Mail&gclid=Ab1",
    ],
)
def test_marks_are_found_in_every_case_and_in_the_fragment(url):
    touch = context(page_url=url)
    assert touch["utm"] == {"source": "News", "medium": "Mail"}
    assert touch["click_ids"] == {"gclid": "Ab1"}


def test_marks_of_the_query_win_over_those_of_the_fragment():
    touch = context(page_url="https://example.com/?utm_source=query#utm_source=fragment")
    assert touch["utm"] == {"source": "query"}


@pytest.mark.parametrize("name", ["source", "Source", "utm_source", "UTM_SOURCE"])
def test_programs_may_name_marks_as_the_address_does(name):
    assert context(utm={name: "News"})["utm"] == {"source": "News"}
    assert context(click_ids={"GCLID": "Ab1"})["click_ids"] == {"gclid": "Ab1"}
