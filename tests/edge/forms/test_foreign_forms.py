"""Forms that other websites wrote themselves: what they post is kept, or named."""

import pytest
import time_machine

from leadgen.capture.models import Submission
from leadgen.forms.format.definition import Definition, FieldDefinition, Option
from tests.factories import make_form

SIZES = (Option("s", "Small"), Option("m", "Medium"))
FORM = Definition(
    "Form",
    (
        FieldDefinition("email", "email", "Email"),
        FieldDefinition("topics", "multiple_choice", "Topics", options=SIZES),
        FieldDefinition("size", "choice", "Size", options=SIZES),
        FieldDefinition("news", "consent", "News", wording="Send me news."),
        FieldDefinition("landing", "hidden", "Landing page"),
    ),
)
ADA = {"email": "ada@example.com"}


@pytest.fixture
def foreign_form(transactional_db):
    return make_form(FORM)


def post_submission(client, form, data):
    answer = client.post_form(f"/f/{form.slug}", data)
    assert answer.status == 303, answer.text
    return Submission.objects.get()


def test_box_without_a_value_is_a_tick(client, foreign_form):
    row = post_submission(client, foreign_form, {**ADA, "news": "on"})
    assert row.consents[0]["given"] is True


@pytest.mark.parametrize("names", [["topics[]", "topics[]"], ["topics[0]", "topics[1]"]])
def test_list_in_the_style_of_php_is_a_list(client, foreign_form, names):
    body = "&".join([f"{name}={value}" for name, value in zip(names, "sm", strict=True)])
    assert post_submission(client, foreign_form, f"email=a@example.com&{body}".encode()).answers[
        "topics"
    ] == [
        "s",
        "m",
    ]


def test_list_is_shown_again_after_a_mistake(client, foreign_form):
    page = client.post_form(
        f"/f/{foreign_form.slug}", {"email": "nobody", "topics[]": "m", "news": "on"}
    )
    assert page.status == 422
    for name in ('value="m" checked', 'value="yes" checked'):
        assert name in page.text


def test_single_choice_sent_twice_is_named(client, foreign_form):
    page = client.post_form(f"/f/{foreign_form.slug}", b"email=a@example.com&size=s&size=m")
    assert page.status == 422
    assert "Choose one of the options." in page.text


def test_answer_under_an_unknown_name_is_kept_by_name(client, foreign_form):
    sent = {**ADA, "Message": "500 licences", "colour": "red" * 5000, "submit": "Go", "blank": " "}
    row = post_submission(client, foreign_form, sent)
    assert row.answers == {**ADA, "Message": "500 licences", "colour": ("red" * 5000)[:2000]}
    assert row.raw["colour"] == ["red" * 5000]
    assert row.state == "accepted"


def test_links_under_an_unknown_name_are_no_spam(client, foreign_form):
    row = post_submission(client, foreign_form, {**ADA, "ref": "https://a.example " * 9})
    assert row.state == "accepted"


@pytest.mark.parametrize("value", ["x" * 9000, "https://a.example/?u=https://b.example " * 40])
def test_invalid_hidden_value_is_cut_and_accepted(client, foreign_form, value):
    row = post_submission(client, foreign_form, {**ADA, "landing": value})
    assert (row.state, row.answers["landing"]) == ("accepted", value[:500])
    assert row.raw["landing"] == [value]


@pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": 1}, "x" * 9000])
def test_hidden_value_of_a_program_is_stored_as_text(client, foreign_form, value):
    path = f"/api/v1/public/forms/{foreign_form.public_id}/submissions"
    assert client.post_json(path, {"fields": {**ADA, "landing": value}}).status == 201
    row = Submission.objects.get()
    assert (row.state, row.raw["landing"]) == ("accepted", value)
    assert isinstance(row.answers["landing"], str)


@pytest.mark.parametrize(
    "data", [{}, {"email": ""}, {"email": " ", "landing": "x"}, {"submit": "Send"}]
)
def test_page_without_any_answer_is_refused(client, foreign_form, data):
    page = client.post_form(f"/f/{foreign_form.slug}", data)
    assert page.status == 422
    assert "Fill in at least one field." in page.text
    assert not Submission.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"email": ""}, {"news": False}, {"landing": "x"}])
def test_api_call_without_any_answer_is_refused(client, foreign_form, fields):
    path = f"/api/v1/public/forms/{foreign_form.public_id}/submissions"
    answer = client.post_json(path, {"fields": fields})
    assert answer.status == 422
    assert answer.json["errors"] == {"": ["Fill in at least one field."]}


def test_one_tick_is_an_answer(client, foreign_form):
    assert post_submission(client, foreign_form, {"news": "yes"}).state == "accepted"


def test_answers_of_an_expired_page_go_to_review(client, foreign_form):
    with time_machine.travel("2026-05-05T10:00:00Z", tick=False) as clock:
        page = client.get(f"/f/{foreign_form.slug}").text
        token = page.partition('name="_token" value="')[2].partition('"')[0]
        clock.shift(24 * 3600 + 1)
        answers = [
            client.post_form(f"/f/{foreign_form.slug}", {**ADA, "_token": token}) for _ in range(2)
        ]
    row = Submission.objects.get()
    assert {answer.headers["location"] for answer in answers} == {
        f"/f/{foreign_form.slug}/thanks?receipt={row.id}"
    }
    assert (row.state, row.reasons, row.answers) == ("quarantined", ["expired_page"], ADA)


def test_answers_of_a_page_of_yesterday_are_accepted(client, foreign_form):
    with time_machine.travel("2026-05-05T10:00:00Z", tick=False) as clock:
        page = client.get(f"/f/{foreign_form.slug}").text
        token = page.partition('name="_token" value="')[2].partition('"')[0]
        clock.shift(24 * 3600 - 1)
        assert post_submission(client, foreign_form, {**ADA, "_token": token}).state == "accepted"
