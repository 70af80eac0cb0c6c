from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.urls import reverse

from leadgen.accounts.roles import Role
from leadgen.events.models import Event
from leadgen.forms.models import Field, Form
from leadgen.forms.services import publish
from leadgen.workspace import forms as forms_admin
from tests.factories import make_user
from tests.flows.waiting import eventually

pytestmark = pytest.mark.django_db
SAVE_AND_PUBLISH = {"forms_form_save_and_publish": ""}
UNPUBLISH = {"forms_form_save_and_unpublish": ""}


@pytest.fixture
def marketer(client):
    user = make_user(Role.MARKETER)
    client.force_login(user)
    return user


@pytest.fixture
def draft():
    form = Form.objects.create(title="Talk to us", slug="talk")
    Field.objects.create(form=form, name="email", kind="email", label="Email")
    return form


def change(form):
    return reverse("admin:forms_form_change", args=[form.pk])


def filled(form=None, rows=(), **texts):
    """What the page posts: the form's texts and one row a field."""
    base = {"title": "Talk to us", "slug": "talk", "submit_label": "Send", "locale": "en"}
    stored = list(form.fields.all()) if form else []
    rows = [{"id": field.pk, "form": form.pk, **_row(field)} for field in stored] + list(rows)
    data = {**base, "thanks_title": "Thank you", **texts}
    data |= {"fields-TOTAL_FORMS": len(rows), "fields-INITIAL_FORMS": len(stored)}
    for prefix in ["versions"] * bool(form):
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    for number, row in enumerate(rows):
        data |= {f"fields-{number}-{name}": value for name, value in row.items()}
    return data


def _row(field):
    return {name: getattr(field, name) for name in ("name", "kind", "label", "position")}


def test_form_is_created_with_its_fields_at_once(client, marketer):
    rows = [{"name": "email", "kind": "email", "label": "Email", "position": 0}]
    client.post(reverse("admin:forms_form_add"), filled(rows=rows))

    assert [str(field) for field in Form.objects.get(slug="talk").fields.all()] == ["Email"]


@pytest.mark.django_db(transaction=True)
def test_saving_and_publishing_freezes_the_fields_just_typed(client, marketer, draft):
    rows = [{"name": "size", "kind": "number", "label": "Size", "position": 1}]
    data = filled(draft, rows) | SAVE_AND_PUBLISH
    page = client.post(change(draft), data, follow=True)
    draft.refresh_from_db()

    assert "Version 1 is live at /f/talk." in page.content.decode()
    assert draft.published.read() == draft.draft()
    assert [field.name for field in draft.published.read().fields] == ["email", "size"]
    assert Event.objects.get(kind="form.published").actor == marketer


@pytest.mark.django_db(transaction=True)
def test_unpublishable_draft_is_saved_with_error_messages(client, marketer, draft):
    rows = [{"name": "size", "kind": "choice", "label": "Size", "position": 1}]
    data = filled(draft, rows) | SAVE_AND_PUBLISH
    page = client.post(change(draft), data, follow=True)
    draft.refresh_from_db()

    assert "Size (size): Add at least one option, one a line." in page.content.decode()
    assert draft.published is None
    assert draft.fields.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_form_of_a_newer_release_is_saved_but_not_published(client, marketer, draft):
    newer = {"title": "Talk", "fields": [], "format": 2, "needs": ["logic"]}
    draft.freeze(draft.draft())
    draft.versions.update(definition=newer)
    data = filled(draft) | SAVE_AND_PUBLISH
    page = client.post(change(draft), data, follow=True).content.decode()

    assert "Saved, but not published. This form was last published by a newer release" in page
    assert "needs logic" in page
    assert draft.versions.get().definition == newer


def test_form_is_unpublished(client, marketer, draft):
    publish(draft, actor=None)
    client.post(change(draft), filled(draft) | UNPUBLISH)
    draft.refresh_from_db()

    assert draft.published is None
    assert Event.objects.filter(kind="form.unpublished", actor=marketer).exists()


def test_page_shows_draft_state_and_fields_of_each_version(client, marketer, draft):
    publish(draft, actor=None)
    assert "Live: version 1" in client.get(change(draft)).content.decode()
    draft.fields.update(label="Your address")
    page = client.get(change(draft)).content.decode()

    assert "Unpublished changes" in page
    assert "Your address" in page
    assert "1, live" in page


def test_preview_of_a_draft_cannot_be_submitted(client, marketer, draft):
    answer = client.get(reverse("admin:forms_form_preview", args=[draft.pk]))

    assert "<h1>Talk to us</h1>" in answer.content.decode()
    assert "form-action 'none'" in answer["Content-Security-Policy"]


def test_only_a_published_form_can_be_opened(client, marketer, draft):
    address = reverse("admin:forms_form_open_page", args=[draft.pk])

    refused = client.get(address, follow=True)
    assert refused.redirect_chain == [(change(draft), 302)]
    assert "This form is not published, so it has no page." in refused.text
    assert address not in refused.text
    publish(draft, actor=None)
    assert client.get(address)["Location"] == "/f/talk"


def test_new_field_is_added_last(client, marketer, draft):
    draft.fields.update(position=4)

    assert (
        'name="fields-__prefix__-position" value="5"' in client.get(change(draft)).content.decode()
    )


def test_form_list_has_a_constant_number_of_queries(
    client, marketer, draft, django_assert_max_num_queries
):
    for number in range(12):
        form = Form.objects.create(title=f"Form {number}", slug=f"form-{number}")
        Field.objects.create(form=form, name="email", kind="email", label="Email")
        publish(form, actor=None)

    with django_assert_max_num_queries(12):
        page = client.get(reverse("admin:forms_form_changelist")).content.decode()
    assert page.count("Live: version") == 12


def test_read_only_role_can_neither_save_nor_publish(client, draft):
    client.force_login(make_user(Role.VIEWER))

    assert "save_and_publish" not in client.get(change(draft)).content.decode()
    assert client.post(change(draft), filled(draft) | SAVE_AND_PUBLISH).status_code == 403
    assert Form.objects.get().published is None


def asked(number):
    question = {"name": "question", "kind": "text", "label": f"Asked {number}"}
    return {"title": "Talk to us", "fields": [question]}


def test_page_of_a_form_shows_its_newest_versions(client, marketer, draft, monkeypatch):
    monkeypatch.setattr(forms_admin, "VERSIONS_SHOWN", 3)
    for number in range(1, 6):
        draft.versions.create(number=number, definition=asked(number))

    page = client.get(change(draft)).text
    client.post(change(draft), filled(draft, title="Talk to sales"))

    assert "Asked 3" in page
    assert "Asked 2" not in page
    draft.refresh_from_db()
    assert (draft.title, draft.versions.count()) == ("Talk to sales", 5)


def is_waiting_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone() != (0,)


@pytest.mark.django_db(transaction=True)
def test_publication_during_a_save_is_not_undone(client, marketer, draft):
    def save(data):
        try:
            return client.post(change(draft), data).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            publish(draft, actor=None)
            saved = pool.submit(save, filled(draft, title="New title"))
            eventually(is_waiting_for_a_lock, seconds=20)
        assert saved.result() == 302
    draft.refresh_from_db()
    assert (draft.title, draft.published.number) == ("New title", 1)
