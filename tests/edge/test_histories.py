"""Receipts, versions and wordings over random histories of visits, publications and outages."""

import random
import re
from html import unescape
from uuid import UUID

import pytest

from leadgen.capture.models import Repeat, Submission
from leadgen.capture.spool import store
from leadgen.capture.spool.replay import replay
from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.models import Form
from tests.factories import make_form

EMAIL = FieldDefinition("email", "email", "Email", required=True)
STEPS = 30
ACTS = ("send", "send", "send", "again", "open", "publish", "unpublish", "swap", "outage")

pytestmark = pytest.mark.usefixtures("hurried")


def asking(wording):
    return Definition("Asked", (EMAIL, FieldDefinition("news", "consent", "News", wording=wording)))


class History:
    """Two forms, their visitors' open pages, and what each receipt must be kept as."""

    def __init__(self, make_client, away, seed):
        self.draw = random.Random(seed)
        self.clients = [make_client(), make_client(timeout=0.2, line_parameters=away)]
        self.client = self.clients[0]
        self.forms = [make_form(asking(f"Form {n}, version 1.")) for n in range(2)]
        self.pages, self.receipts, self.posts = [], {}, 0
        self.open()

    def run(self):
        for _ in range(STEPS):
            getattr(self, self.draw.choice(ACTS))()
        replay(seconds=20)

    def open(self):
        form = self.draw.choice(self.forms)
        page = self.clients[0].get(f"/f/{form.slug}")
        if form.published:
            inputs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
            hidden = {name: unescape(value) for name, value in inputs}
            self.pages.append((form.slug, form.pk, form.published.number, hidden))

    def send(self):
        self.posts += 1
        answers = {"email": f"a{self.posts}@example.com"}
        self.sent = (
            *self.draw.choice(self.pages),
            answers | self.draw.choice([{"news": "yes"}, {}]),
        )
        self.again()

    def again(self):
        """Send the latest post once more, as a double click or a reload does."""
        if self.posts:
            slug, form, version, hidden, answers = self.sent
            answer = self.client.post_form(f"/f/{slug}", {**answers, **hidden})
            assert answer.status == 303
            receipt = UUID(answer.headers["location"].rpartition("=")[2])
            self.receipts[receipt] = (form, version, answers)

    def publish(self):
        form = self.draw.choice(self.forms)
        number = form.versions.count() + 1
        place = self.forms.index(form)
        definition = asking(f"Form {place}, version {number}.").to_json()
        form.published = form.versions.create(number=number, definition=definition)
        form.save()

    def unpublish(self):
        form = self.draw.choice(self.forms)
        form.published = None
        form.save()

    def swap(self):
        """Give each form the other one's address."""
        first, second = self.forms
        slugs = first.slug, second.slug
        for form, slug in ((first, "between"), (second, slugs[0]), (first, slugs[1])):
            form.slug = slug
            form.save()

    def outage(self):
        self.client = self.draw.choice(self.clients)


@pytest.mark.parametrize("seed", range(8))
def test_every_receipt_is_kept_as_it_was_shown(make_client, away, seed):
    history = History(make_client, away, seed)
    history.run()
    repeats = dict(Repeat.objects.values_list("receipt", "submission_id"))
    rows = Submission.objects.select_related("version").in_bulk()
    assert not list(store.waiting())
    kept = {receipt: rows[repeats.get(receipt, receipt)] for receipt in history.receipts}
    assert {row.pk for row in kept.values()} == set(rows)
    assert len(rows) == history.posts
    for receipt, (form, version, answers) in history.receipts.items():
        row = kept[receipt]
        assert (row.form_id, row.version.number) == (form, version)
        assert row.answers["email"] == answers["email"]
        place = [each.pk for each in history.forms].index(form)
        assert [(each["wording"], each["given"]) for each in row.consents] == [
            (f"Form {place}, version {version}.", "news" in answers)
        ]
    assert Form.objects.count() == 2
