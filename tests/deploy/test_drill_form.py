"""The form of the Compose drills: its code runs as text in a container, unseen by type checks."""

import pytest

from leadgen.forms.models import Form
from tests.deploy.engine import MAKE_FORM

pytestmark = pytest.mark.django_db


def test_form_of_the_compose_drills_is_published():
    exec(MAKE_FORM, {})
    form = Form.objects.get(slug="drill")
    assert form.published
    assert form.published.number == 1
