import pytest

from leadgen.accounts.roles import DEFAULT_VISIBILITY, GRANTS, NEVER, Role, allows, opens


@pytest.mark.parametrize("perm", sorted(NEVER))
@pytest.mark.parametrize("role", Role)
def test_no_role_edits_history(role, perm):
    assert not allows(role, perm)


def test_administrator_has_all_other_permissions():
    assert allows(Role.ADMIN, "accounts.change_user")
    assert allows(Role.ADMIN, "leads.delete_campaign")


def test_every_other_role_has_its_line_in_the_table():
    assert set(GRANTS) == set(Role) - {Role.ADMIN}
    assert set(DEFAULT_VISIBILITY) == set(Role)


def test_a_viewer_changes_nothing():
    assert {action for actions in GRANTS[Role.VIEWER].values() for action in actions} == {"view"}


@pytest.mark.parametrize(
    ("role", "perm", "may"),
    [
        (Role.SALES_REP, "leads.change_lead", True),
        (Role.SALES_REP, "leads.change_stage", False),
        (Role.SALES_REP, "capture.change_submission", False),
        (Role.SALES_REP, "accounts.view_user", False),
        (Role.SALES_MANAGER, "leads.change_stage", True),
        (Role.SALES_MANAGER, "accounts.view_user", True),
        (Role.SALES_MANAGER, "accounts.change_user", False),
        (Role.SALES_MANAGER, "forms.change_form", False),
        (Role.MARKETER, "forms.change_form", True),
        (Role.MARKETER, "leads.change_lead", False),
        (Role.VIEWER, "leads.view_lead", True),
    ],
)
def test_roles_allow_what_the_table_lists(role, perm, may):
    assert allows(role, perm) is may


@pytest.mark.parametrize("perm", ["", "leads", "leads.", "leads.lead", "unknown.view_thing", "."])
def test_permission_outside_the_table_is_refused(perm):
    assert not allows(Role.SALES_REP, perm)


def test_application_opens_for_roles_that_see_its_models():
    assert opens(Role.ADMIN, "events")
    assert opens(Role.SALES_MANAGER, "accounts")
    assert not opens(Role.SALES_REP, "accounts")
    assert not opens(Role.VIEWER, "events")
