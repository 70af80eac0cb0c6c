from multiprocessing import get_context

import pytest

from leadgen.events.models import Event
from leadgen.leads.models import Contact, Lead
from tests import factories
from tests.flows.posting import post_as_one_of_many
from tests.flows.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("stack")]

POSTERS = 20


def test_twenty_posts_of_one_person_become_one_open_lead(stack, rep):
    factories.make_pipeline()
    form = factories.make_form()
    url = f"{stack.url}/api/v1/public/forms/{form.public_id}/submissions"
    spawn = get_context("spawn")
    with spawn.Manager() as manager, spawn.Pool(POSTERS) as pool:
        ready = manager.Barrier(POSTERS)
        codes = pool.starmap(
            post_as_one_of_many, [(url, n, ready) for n in range(POSTERS)], chunksize=1
        )
    assert codes == [201] * POSTERS
    joined = Event.objects.filter(kind="lead.submission_added")
    eventually(lambda: joined.count() == POSTERS, seconds=20)
    assert Contact.objects.count() == 1
    assert Lead.objects.open().count() == Lead.objects.count() == 1
    assert Lead.objects.get().submissions_count == POSTERS
    assert len({event.subject_id for event in joined}) == 1
