import pytest

from leadgen.capture.models import Submission
from leadgen.forms.models import Form, FormVersion
from leadgen.leads.intake.batches import BatchOutcome, drain
from leadgen.leads.models import Lead
from tests.factories import make_pipeline, make_submission

pytestmark = pytest.mark.django_db

EMAIL: dict[str, object] = {"name": "email", "kind": "email", "label": "Email", "fills": "email"}
OLDEST = {"title": "Talk to sales", "fields": [EMAIL]}
NEWER = {
    **OLDEST,
    "theme": {"colour": "teal"},
    "fields": [
        {**EMAIL, "pattern": ".*", "options": [{"value": "a", "label": "A", "on": 1}]},
        {"name": "mood", "kind": "hologram", "label": "Mood", "fills": "mood"},
    ],
}


@pytest.fixture(autouse=True)
def _pipeline():
    make_pipeline()


def submitted(definition, **fields):
    form = Form.objects.create(title="Talk to sales", slug="talk")
    form.published = FormVersion.objects.create(form=form, number=1, definition=definition)
    return make_submission(form, **fields)


def process_submission(submission):
    assert drain() == BatchOutcome(processed=1)
    return Lead.objects.get(links__submission=submission)


@pytest.mark.parametrize("definition", [OLDEST, NEWER])
def test_form_of_another_release_is_read_by_shared_keys(definition):
    submission = submitted(definition, answers={"email": "ada@example.com", "mood": {"joy": 1}})
    assert process_submission(submission).contact.email == "ada@example.com"


def test_unknown_answers_and_context_keys_lose_no_lead():
    context = {"channel": "hologram", "utm": {"source": "x", "colour": "red"}, "device": {"w": 1}}
    answers = {"email": "ada@example.com", "former_question": ["a", {"b": None}], "age": 7}
    lead = process_submission(submitted(OLDEST, answers=answers, context=context))
    assert (lead.source, lead.contact.email) == ("x", "ada@example.com")


def test_missing_answers_and_context_keys_lose_no_lead():
    lead = process_submission(submitted(OLDEST, answers={}, context={}))
    assert (lead.source, lead.contact.email) == ("direct", "")


@pytest.mark.parametrize(
    "context", [{"utm": []}, {"click_ids": {"newclid": "x"}}, {"utm": {"source": 3}}]
)
def test_context_of_another_shape_loses_no_lead(context):
    assert process_submission(
        submitted(OLDEST, answers={"email": "ada@example.com"}, context=context)
    )


def test_row_tried_by_an_older_release_is_processed():
    submission = submitted(OLDEST, attempts=3, last_error="KeyError: 'utm'", state="received")
    process_submission(submission)
    kept = Submission.objects.get(pk=submission.pk)
    assert (kept.state, kept.last_error, kept.attempts) == ("processed", "", 3)


BEYOND = [
    {**OLDEST, "format": 2, "needs": ["logic"]},
    {**OLDEST, "fields": [{**EMAIL, "required": {"field": "x", "is": "filled"}}]},
    {**OLDEST, "fields": [{**EMAIL, "kind": "magic_email"}]},
    {**OLDEST, "fields": [{**EMAIL, "options": {"from": "list"}}, "text", {"kind": "text"}]},
    {"fields": [EMAIL]},
]


@pytest.mark.parametrize("definition", BEYOND)
def test_row_of_an_unreadable_form_becomes_a_lead(definition):
    answers = {"email": "ada@example.com", "mood": [{"joy": 1}], "brief": {"file": "x.pdf"}}
    lead = process_submission(submitted(definition, answers=answers))
    assert lead.contact.email == "ada@example.com"


@pytest.mark.parametrize("definition", [7, [], {}, {"title": 1, "fields": 2}])
def test_broken_definition_loses_no_lead(definition):
    assert process_submission(submitted(definition, answers={"email": "ada@example.com"}))


def test_an_object_is_no_name_of_a_person():
    name = {"name": "who", "kind": "person", "label": "Who", "fills": "name"}
    definition = {**OLDEST, "fields": [EMAIL, name]}
    answers = {"email": "ada@example.com", "who": {"first": "Ada"}}
    assert process_submission(submitted(definition, answers=answers)).contact.name == ""
