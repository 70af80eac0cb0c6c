"""Labels of the workspace are lazy translations, so that catalogues can be added."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.utils.functional import Promise

from leadgen.accounts.roles import Role, Visibility
from leadgen.capture.reasons import ReviewReason
from leadgen.forms.format.definition import CONTACT_FIELDS
from leadgen.forms.format.fields import CHOICES
from leadgen.workspace.theme import UNFOLD

PAGES = [
    page for page in admin.site._registry.values() if type(page).__module__.startswith("leadgen.")
]
MODELS = [model for model in apps.get_models() if model.__module__.startswith("leadgen.")]


def plain(labels):
    """Return the labels that no catalogue can translate."""
    return [label for label in labels if label and not isinstance(label, Promise)]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_labels_of_lists_are_translatable(page):
    columns = [getattr(page, name, None) for name in page.list_display]
    labels = [getattr(column, "short_description", "") for column in columns]
    actions = [getattr(page, name).short_description for name in page.actions or ()]
    hints = [page.search_help_text, page.empty_hint, page.deletion_hint]

    assert plain([*labels, *actions, *hints]) == []


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_help_and_choices_of_models_are_translatable(model):
    fields = [field for field in model._meta.get_fields() if field.concrete]
    helps = [field.help_text for field in fields]
    labels = [label for field in fields for _, label in field.choices or ()]

    assert plain([*helps, *labels]) == []


def test_roles_reasons_and_field_kinds_are_translatable():
    labels = [label for kinds in (Role, Visibility, ReviewReason) for _, label in kinds.choices]

    assert plain([*labels, *(label for _, label in CHOICES), *CONTACT_FIELDS.values()]) == []


def test_sidebar_is_translatable():
    groups = UNFOLD["SIDEBAR"]["navigation"]
    items = [item for group in groups for item in group["items"]]

    assert plain(each["title"] for each in [*groups, *items]) == []


def test_plain_label_is_found():
    assert plain(["Receipt", "", Role.ADMIN.label]) == ["Receipt"]
