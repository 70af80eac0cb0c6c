from typing import Any

import pytest
from django.core.exceptions import ValidationError

from leadgen.events.actors import Actor, ActorType
from leadgen.events.models import Event
from leadgen.leads import record_services
from leadgen.leads.models import Campaign, Company, Contact, Pipeline, Stage
from leadgen.lib import row_limit
from leadgen.lib.edits import RowEdits
from tests.factories import make_lead, make_pipeline, make_user

pytestmark = pytest.mark.django_db

KEY = Actor(ActorType.API_KEY, "key_7", "Zapier")


def events() -> list[tuple[str, str, dict[str, Any]]]:
    return [(each.kind, each.author.label, each.data) for each in Event.objects.order_by("id")]


def test_contact_verb_writes_provenance_company_and_search():
    contact = Contact.objects.create(name="Ada", provenance={"name": "r1", "email": "r2"})
    values = {"name": "Ada Byron", "company": " Mill & Sons "}
    record_services.update_contact(contact, values, actor=make_user(name="Bob"))
    contact = Contact.objects.get(pk=contact.pk)
    assert contact.provenance == {"name": "person", "email": "r2", "company": "person"}
    assert contact.company == Company.objects.get(name="Mill & Sons")
    assert contact.search == "Ada Byron Mill & Sons"
    assert events() == [("contact.changed", "Bob", {"changes": ["name", "company"]})]


def test_contact_changed_by_a_program_has_its_provenance():
    contact = Contact.objects.create(name="Ada")
    record_services.update_contact(contact, {"name": "Ada Byron"}, actor=KEY)
    assert contact.provenance == {"name": "api_key"}
    assert events() == [("contact.changed", "Zapier", {"changes": ["name"]})]


def test_equal_values_emit_nothing():
    mill = Company.objects.create(name="Mill")
    contact = Contact.objects.create(name="Ada", company=mill)
    record_services.update_contact(contact, {"name": "Ada", "company": "MILL"}, actor=KEY)
    record_services.update_company(mill, {"name": "Mill"}, actor=KEY)
    assert events() == []
    assert contact.provenance == {}


def test_empty_company_name_removes_the_company():
    contact = Contact.objects.create(name="Ada", company=Company.objects.create(name="Mill"))
    record_services.update_contact(contact, {"company": ""}, actor=KEY)
    assert Contact.objects.get(pk=contact.pk).company is None


def test_company_verbs_emit_and_keep_the_search_text():
    mill = Company.objects.create(name="Mill")
    contact = Contact.objects.create(name="Ada", company=mill)
    record_services.update_company(mill, {"name": "Dam"}, actor=KEY)
    assert Contact.objects.get(pk=contact.pk).search == "Ada Dam"
    key = str(mill.pk)
    record_services.delete_company(mill, actor=KEY)
    assert Contact.objects.get(pk=contact.pk).search == "Ada"
    assert events() == [
        ("company.changed", "Zapier", {"changes": ["name"]}),
        ("company.deleted", "Zapier", {"name": "Dam"}),
    ]
    assert set(Event.objects.values_list("subject_id", flat=True)) == {key}


def test_campaign_verbs_emit_their_events():
    campaign = Campaign(name="Spring", utm_campaign="spring")
    record_services.add_campaign(campaign, actor=KEY)
    record_services.update_campaign(campaign, {"budget": 5, "name": "Spring"}, actor=KEY)
    with pytest.raises(ValidationError, match="budget"):
        record_services.update_campaign(campaign, {"budget": -1}, actor=KEY)
    record_services.delete_campaign(campaign, actor=KEY)
    assert events() == [
        ("campaign.added", "Zapier", {}),
        ("campaign.changed", "Zapier", {"changes": ["budget"]}),
        ("campaign.deleted", "Zapier", {"name": "Spring"}),
    ]


def test_pipeline_verbs_emit_their_events():
    pipeline = Pipeline(name="Partners")
    record_services.add_pipeline(pipeline, [Stage(name="New"), Stage(name="Won")], actor=KEY)
    new, won = pipeline.stages.all()
    pipeline.stages.create(name="Talking")
    edits = RowEdits(
        added=[Stage(name="Lost", type="lost")],
        changed={won.pk: {"type": "won", "name": "Won"}},
        deleted=[new.pk],
    )
    record_services.update_pipeline(pipeline, {"name": "Resellers"}, edits, actor=KEY)
    record_services.update_pipeline(pipeline, {"name": "Resellers"}, actor=KEY)
    stages = dict(pipeline.stages.values_list("name", "type"))
    record_services.delete_pipeline(pipeline, actor=KEY)
    assert stages == {"Talking": "open", "Won": "won", "Lost": "lost"}
    assert events() == [
        ("pipeline.added", "Zapier", {}),
        ("stage.added", "Zapier", {}),
        ("stage.added", "Zapier", {}),
        ("pipeline.changed", "Zapier", {"changes": ["name"]}),
        ("stage.deleted", "Zapier", {"name": "New"}),
        ("stage.changed", "Zapier", {"changes": ["type"]}),
        ("stage.added", "Zapier", {}),
        ("pipeline.deleted", "Zapier", {"name": "Resellers"}),
    ]
    assert Event.objects.get(kind="stage.deleted").subject_id == str(new.pk)


@pytest.mark.parametrize(("name", "new_type"), [("Talking", "won"), ("Lost", "open")])
def test_type_of_a_stage_with_leads_stays(name, new_type):
    pipeline = make_pipeline()
    stage = pipeline.stages.get(name=name)
    for _ in range(2):
        make_lead(stage=stage)
    edits = RowEdits(changed={stage.pk: {"type": new_type}})
    with pytest.raises(ValidationError, match=f"2 leads are in the stage “{name}”") as refusal:
        record_services.update_pipeline(pipeline, {"name": "Other"}, edits, actor=KEY)
    assert list(refusal.value.message_dict) == ["type"]
    assert Stage.objects.get(pk=stage.pk).type == stage.type
    assert Pipeline.objects.get(pk=pipeline.pk).name == "Sales"
    assert events() == []


def test_stage_with_leads_may_be_renamed():
    stage = make_lead().stage
    edits = RowEdits(changed={stage.pk: {"name": "Fresh", "type": stage.type}})
    record_services.update_pipeline(stage.pipeline, {}, edits, actor=KEY)
    assert events() == [("stage.changed", "Zapier", {"changes": ["name"]})]


@pytest.mark.parametrize("new_type", ["won", "lost"])
def test_pipeline_keeps_an_open_stage(new_type):
    pipeline = Pipeline(name="Partners")
    with pytest.raises(ValidationError, match="at least one stage of the type Open"):
        record_services.add_pipeline(pipeline, [Stage(name="End", type=new_type)], actor=KEY)
    record_services.add_pipeline(pipeline, [Stage(name="New")], actor=KEY)
    new = pipeline.stages.get()
    for edits in (RowEdits(changed={new.pk: {"type": new_type}}), RowEdits(deleted=[new.pk])):
        added = RowEdits([Stage(name="End", type=new_type)], edits.changed, edits.deleted)
        with pytest.raises(ValidationError, match="new leads begin there"):
            record_services.update_pipeline(pipeline, {}, added, actor=KEY)
    assert list(pipeline.stages.values_list("name", "type")) == [("New", "open")]


def test_stage_name_of_another_stage_is_refused():
    pipeline = make_pipeline()
    stage = pipeline.stages.get(name="Talking")
    edits = RowEdits(changed={stage.pk: {"name": "Won"}})
    with pytest.raises(ValidationError, match="already exists"):
        record_services.update_pipeline(pipeline, {}, edits, actor=KEY)


def test_edit_of_a_removed_stage_changes_nothing():
    pipeline = make_pipeline()
    stage = pipeline.stages.get(name="Talking")
    edits = RowEdits(changed={stage.pk: {"name": "Meeting"}})
    Stage.objects.filter(pk=stage.pk).delete()
    with pytest.raises(ValidationError, match=f"number {stage.pk} no longer exist"):
        record_services.update_pipeline(pipeline, {"name": "Other"}, edits, actor=KEY)
    assert Pipeline.objects.get(pk=pipeline.pk).name == "Sales"


def test_deletion_is_refused_above_the_row_limit(monkeypatch):
    monkeypatch.setattr(row_limit, "MAX_ROWS", 2)
    mill, spring = Company.objects.create(name="Mill"), Campaign.objects.create(name="Spring")
    for _ in range(3):
        contact = Contact.objects.create(name="Ada", company=mill)
        make_lead(contact=contact, campaign=spring)
    with pytest.raises(ValidationError, match="Keep the name"):
        record_services.update_company(mill, {"name": "Dam"}, actor=KEY)
    with pytest.raises(ValidationError, match="More than 2"):
        record_services.delete_company(mill, actor=KEY)
    with pytest.raises(ValidationError, match="More than 2"):
        record_services.delete_campaign(spring, actor=KEY)
    assert (Company.objects.count(), Campaign.objects.count(), events()) == (1, 1, [])
