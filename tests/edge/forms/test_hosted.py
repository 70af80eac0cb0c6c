import re
from html import escape
from urllib.parse import urlencode

import pytest
import time_machine

from leadgen.capture.models import Submission
from leadgen.edge.forms import page_token
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.lib.reference import reference_of
from tests.factories import DEFINITION, make_form

ADA = {"name": "Ada", "email": "ada@example.com"}


def hidden(page, name):
    found = re.search(f'name="{name}" value="([^"]*)"', page.text)
    return found[1] if found else ""


def test_the_page_is_served_with_a_policy_and_a_token(client, published_form):
    page = client.get(f"/f/{published_form.slug}")
    assert page.status == 200
    assert "Talk to sales" in page.text
    assert page_token.read(hidden(page, "_token"))
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self';" in policy
    assert page.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert page.headers["cache-control"] == "private, no-cache"


def test_csp_allows_the_forms_origins_and_no_redirect(client):
    definition = Definition("T", DEFINITION.fields, redirect_url="https://thanks.example.com/a?b=1")
    origins = "https://www.example.com\nhttps://evil.example;script-src"
    form = make_form(definition, allowed_origins=origins)
    policy = client.get(f"/f/{form.slug}").headers["content-security-policy"]
    assert "frame-ancestors 'self' https://www.example.com" in policy
    assert "form-action 'self';" in policy
    assert "evil" not in policy


@pytest.mark.parametrize("validator", ["*", '"old"', 'W/"old"'])
def test_a_page_with_values_of_a_visit_is_never_a_304(client, published_form, validator):
    page = client.get(f"/f/{published_form.slug}", if_none_match=validator)
    assert page.status == 200
    assert not {"etag", "last-modified"} & set(page.headers)
    assert "private" in page.headers["cache-control"]


def test_each_page_has_the_token_and_referrer_of_its_own_visit(client, published_form):
    pages = [
        client.get(f"/f/{published_form.slug}", referer=f"https://{name}.example/")
        for name in ("a", "b")
    ]
    assert [hidden(page, "_referrer") for page in pages] == [
        "https://a.example/",
        "https://b.example/",
    ]
    assert len({hidden(page, "_token") for page in pages}) == 2


def test_head_answers_like_get_without_the_body(client, published_form):
    answer = client.send("HEAD", f"/f/{published_form.slug}")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 500


def test_submitted_form_redirects_to_its_receipt(client, published_form, nudges):
    answer = client.post_form(f"/f/{published_form.slug}", ADA)
    row = Submission.objects.get()
    assert answer.status == 303
    assert answer.headers["location"] == f"/f/{published_form.slug}/thanks?receipt={row.id}"
    assert reference_of(row.id) in client.get(answer.headers["location"]).text
    assert row.answers == ADA
    assert row.raw == {"name": ["Ada"], "email": ["ada@example.com"]}
    assert nudges


@pytest.mark.parametrize("url", ["https://example.com/danke/ä", "https://bücher.example/x?a=1&b=2"])
def test_thank_you_page_leads_to_the_redirect_without_answers(client, url):
    form = make_form(Definition("T", DEFINITION.fields, redirect_url=url))
    answer = client.post_form(f"/f/{form.slug}", ADA)
    location = answer.headers["location"]
    assert (answer.status, location.partition("?")[0]) == (303, f"/f/{form.slug}/thanks")
    thanks = client.get(location)
    assert f'content="0; url={escape(url)}"' in thanks.text
    assert "ada@example.com" not in location + thanks.text


def test_redirect_address_is_read_from_the_form_only(client, published_form):
    page = client.get(
        f"/f/{published_form.slug}/thanks?redirect_url=https://evil.example&url=//evil.example"
    )
    assert "evil" not in page.text
    assert "http-equiv" not in page.text


@pytest.mark.parametrize(
    ("locale", "typed", "number"),
    [
        ("de", "10.000", 10000),
        ("de", "12,5", 12.5),
        ("en", "10,000", 10000),
        ("fr", "10 000", 10000),
    ],
)
def test_posted_number_is_read_in_the_forms_language(client, locale, typed, number):
    form = make_form(Definition("T", (FieldDefinition("budget", "number", "B"),), locale=locale))
    assert client.post_form(f"/f/{form.slug}", {"budget": typed}).status == 303
    assert Submission.objects.get().answers == {"budget": number}


def test_ambiguous_number_is_refused_with_an_example(client):
    form = make_form(Definition("T", (FieldDefinition("budget", "number", "B"),), locale="fr"))
    page = client.post_form(f"/f/{form.slug}", {"budget": "1.250"})
    assert page.status == 422
    assert "without separators between thousands, such as 1250 or 12,5." in page.text
    assert 'value="1.250"' in page.text


def test_number_text_of_the_api_is_refused_in_every_language(client):
    form = make_form(Definition("T", (FieldDefinition("budget", "number", "B"),), locale="de"))
    path = f"/api/v1/public/forms/{form.public_id}/submissions"
    assert client.post_json(path, {"fields": {"budget": "12,5"}}).status == 422
    assert client.post_json(path, {"fields": {"budget": 12.5}}).status == 201


def test_line_break_of_a_post_counts_once(client):
    field = FieldDefinition("message", "long_text", "M", max_length=20)
    form = make_form(Definition("T", (field,)))
    typed = "line one\r\nline two\r\nab"
    assert client.post_form(f"/f/{form.slug}", {"message": typed}).status == 303
    assert client.post_multipart(f"/f/{form.slug}", [("message", typed)]).status == 303
    row = Submission.objects.earliest("received_at")
    assert row.answers == {"message": "line one\nline two\nab"}
    assert row.raw == {"message": [typed]}


@pytest.mark.parametrize("letter", ["a", "漢", "\u0928\u093f", "😀", "a\n"])
def test_longest_text_is_accepted_in_every_script_and_encoding(client, letter):
    field = FieldDefinition("message", "long_text", "M", max_length=20_000)
    form = make_form(Definition("T", (field,)))
    text = (letter * 20_000)[:20_000]
    posted = text.replace("\n", "\r\n")
    assert client.post_form(f"/f/{form.slug}", {"message": posted}).status == 303
    assert client.post_multipart(f"/f/{form.slug}", [("message", posted)]).status == 303
    path = f"/api/v1/public/forms/{form.public_id}/submissions"
    assert client.post_json(path, {"fields": {"message": text}}).status == 201
    assert client.post_form(f"/f/{form.slug}", {"message": posted + "x"}).status == 422


def test_hidden_value_that_is_too_long_is_cut(client):
    hidden = FieldDefinition("landing", "hidden", "Landing page", max_length=10)
    form = make_form(Definition("T", (*DEFINITION.fields, hidden)))
    assert client.get(f"/f/{form.slug}?landing={'x' * 2000}").status == 200
    answer = client.post_form(f"/f/{form.slug}", {**ADA, "landing": "x" * 2000})
    row = Submission.objects.get()
    assert (answer.status, row.answers["landing"]) == (303, "x" * 10)
    assert row.raw["landing"] == ["x" * 2000]


def test_attribution_is_read_from_the_posted_query(client, published_form):
    page = client.get(f"/f/{published_form.slug}?utm_source=ad&gclid=G1")
    sent = {**ADA, "_query": hidden(page, "_query").replace("&amp;", "&")}
    assert client.post_form(f"/f/{published_form.slug}", sent).status == 303
    context = Submission.objects.get().context
    assert (context["utm"]["source"], context["click_ids"]["gclid"]) == ("ad", "G1")


def test_email_error_shows_an_example(client, published_form):
    page = client.post_form(f"/f/{published_form.slug}", {**ADA, "email": "a@b@example.com"})
    assert "Enter an address such as name@example.com." in page.text


def test_multipart_post_is_accepted(client, published_form):
    answer = client.post_multipart(f"/f/{published_form.slug}", ADA.items())
    assert answer.status == 303
    assert Submission.objects.get().answers == ADA


def test_invalid_post_shows_the_answers_and_the_same_token(client, published_form):
    token = page_token.issue(1)
    sent = {
        "name": "Zoë <b>",
        "email": "nobody",
        "_token": token,
        "_referrer": "https://r.example/",
    }
    page = client.post_form(f"/f/{published_form.slug}", sent)
    assert page.status == 422
    assert 'value="Zoë &lt;b&gt;"' in page.text
    assert hidden(page, "_token") == token
    assert hidden(page, "_referrer") == "https://r.example/"
    assert not Submission.objects.exists()


def test_a_double_click_is_one_submission(client, published_form):
    sent = {**ADA, "_token": page_token.issue(1)}
    answers = [client.post_form(f"/f/{published_form.slug}", sent) for _ in range(2)]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert Submission.objects.count() == 1


def test_changed_answers_from_the_same_page_are_a_second_one(client, published_form):
    token = page_token.issue(1)
    for message in ("Hello", "And another thing"):
        client.post_form(f"/f/{published_form.slug}", {**ADA, "message": message, "_token": token})
    assert Submission.objects.count() == 2


@pytest.mark.parametrize("token", ["", "nonsense", "a.1:forged"])
def test_post_without_a_valid_token_is_accepted(client, published_form, token):
    assert client.post_form(f"/f/{published_form.slug}", {**ADA, "_token": token}).status == 303
    assert Submission.objects.get().state == "accepted"


def test_a_form_sent_within_two_seconds_is_held(client, published_form):
    with time_machine.travel("2026-05-05T10:00:00Z", tick=False) as clock:
        token = hidden(client.get(f"/f/{published_form.slug}"), "_token")
        clock.shift(1)
        client.post_form(f"/f/{published_form.slug}", {**ADA, "_token": token})
        clock.shift(5)
        client.post_form(f"/f/{published_form.slug}", {**ADA, "name": "B", "_token": token})
    rows = Submission.objects.order_by("received_at")
    assert [(row.state, row.reasons) for row in rows] == [
        ("quarantined", ["too_fast"]),
        ("accepted", []),
    ]


def test_form_served_before_a_clock_step_back_is_accepted(client, published_form):
    with time_machine.travel("2026-05-05T10:00:00Z", tick=False) as clock:
        token = hidden(client.get(f"/f/{published_form.slug}"), "_token")
        clock.shift(-600)
        client.post_form(f"/f/{published_form.slug}", {**ADA, "_token": token})
    assert Submission.objects.get().state == "accepted"


def test_a_robot_that_fills_every_field_is_held_and_thanked(client, published_form):
    answer = client.post_form(f"/f/{published_form.slug}", {**ADA, "_url": "https://spam.example"})
    assert answer.status == 303
    assert Submission.objects.get().reasons == ["honeypot"]


def test_password_managers_skip_the_honeypot(client, published_form):
    (trap,) = re.findall(
        r'<input[^>]*name="_url"[^>]*>', client.get(f"/f/{published_form.slug}").text
    )
    for mark in ("data-1p-ignore", 'data-lpignore="true"', "data-bwignore", "data-form-type"):
        assert mark in trap


def test_a_flood_from_one_address_is_held_then_refused(client, published_form, settings):
    settings.CAPTURE_FLOOD_PER_MINUTE, settings.CAPTURE_LIMIT_PER_MINUTE = 2, 3
    with time_machine.travel("2026-05-05T10:00:10Z", tick=False):
        answers = [client.post_form(f"/f/{published_form.slug}", ADA) for _ in range(4)]
    assert [answer.status for answer in answers] == [303, 303, 303, 429]
    assert answers[3].headers["retry-after"] == "50"
    states = Submission.objects.order_by("received_at").values_list("state", flat=True)
    assert list(states) == ["accepted", "accepted", "quarantined"]


def test_a_flood_over_several_ports_is_one_address(client, published_form, settings):
    settings.TRUSTED_PROXIES, settings.CAPTURE_LIMIT_PER_MINUTE = 1, 1
    posts = [
        client.post_form(f"/f/{published_form.slug}", ADA, x_forwarded_for=f"198.51.100.7:{port}")
        for port in (51234, 51235)
    ]
    assert [post.status for post in posts] == [303, 429]


def test_flood_from_one_address_does_not_limit_others(client, published_form, settings):
    settings.CAPTURE_LIMIT_PER_MINUTE = 1
    client.post_form(f"/f/{published_form.slug}", ADA)
    client.address = "198.51.100.7"
    assert client.post_form(f"/f/{published_form.slug}", ADA).status == 303


@pytest.mark.parametrize("port", ["", ":51234"])
def test_visitor_address_is_read_from_trusted_proxies(client, published_form, settings, port):
    settings.TRUSTED_PROXIES = 1
    client.post_form(
        f"/f/{published_form.slug}", ADA, x_forwarded_for=f"6.6.6.6, 198.51.100.7{port}"
    )
    assert Submission.objects.get().context["address"] == "198.51.100.0"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://testserver", 303),
        ("http://localhost:8000", 303),
        ("https://www.example.com", 303),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[broken", 403),
    ],
)
def test_only_our_page_and_allowed_websites_may_post(client, settings, origin, status):
    settings.PUBLIC_URL = "http://localhost:8000"
    form = make_form(allowed_origins="https://www.example.com")
    assert client.post_form(f"/f/{form.slug}", ADA, origin=origin).status == status


def test_campaign_marks_survive_without_javascript(client, published_form):
    query = urlencode({"utm_source": "news", "utm_campaign": "spring", "fbclid": "F1"})
    page = client.get(f"/f/{published_form.slug}?{query}", referer="https://m.facebook.com/")
    client.post_form(
        f"/f/{published_form.slug}?{query}", {**ADA, "_referrer": hidden(page, "_referrer")}
    )
    context = Submission.objects.get().context
    assert context["channel"] == "hosted"
    assert context["utm"] == {"source": "news", "campaign": "spring"}
    assert context["click_ids"] == {"fbclid": "F1"}
    assert context["referrer"] == "https://m.facebook.com/"


def test_attribution_added_by_the_browser_is_stored(client, published_form):
    sent = {
        "_page_url": "https://www.example.com/x?utm_source=ad",
        "_elapsed_ms": "4200",
        "_first_touch": '{"at": "2026-01-01T00:00:00Z", "click_ids": {"gclid": "G"}}',
    }
    client.post_form(f"/f/{published_form.slug}", {**ADA, **sent})
    context = Submission.objects.get().context
    assert context["utm"] == {"source": "ad"}
    assert context["elapsed_ms"] == 4200
    assert context["first_touch"]["click_ids"] == {"gclid": "G"}


@pytest.mark.parametrize("garbage", ["{", "[" * 5000, "7", '"\\ud800"'])
def test_invalid_first_touch_does_not_lose_the_submission(client, published_form, garbage):
    sent = {**ADA, "_first_touch": garbage, "_elapsed_ms": "soon", "_page_url": "http://[x"}
    assert client.post_form(f"/f/{published_form.slug}", sent).status == 303


def test_hidden_field_is_filled_from_the_query_string(client):
    fields = (*DEFINITION.fields, FieldDefinition("partner", "hidden", "Partner", default="none"))
    form = make_form(Definition("T", fields))
    assert hidden(client.get(f"/f/{form.slug}"), "partner") == "none"
    assert hidden(client.get(f"/f/{form.slug}?partner=P7"), "partner") == "P7"


def test_unknown_form_shows_a_readable_page(client):
    page = client.get("/f/nowhere")
    assert page.status == 404
    assert "<h1" in page.text
    assert "no such form" in page.text


def test_another_method_is_answered_with_those_that_fit(client, published_form):
    answer = client.send("DELETE", f"/f/{published_form.slug}")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST, HEAD")


def test_new_version_is_served_after_the_maximum_age(client, published_form):
    client.get(f"/f/{published_form.slug}")
    published_form.published = published_form.versions.create(
        number=2, definition=Definition("Second", DEFINITION.fields).to_json()
    )
    published_form.save()
    assert "Second" in client.get(f"/f/{published_form.slug}").text
