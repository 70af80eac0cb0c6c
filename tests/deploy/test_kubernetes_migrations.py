import sys
import types
from typing import Any

import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.migrations.state import ModelState, ProjectState

from deploy.policy import migrations as policy

OURS = {app.label for app in apps.get_app_configs() if app.name.startswith("leadgen.")}


def before():
    fields: dict[str, models.Field[Any, Any]] = {
        "id": models.BigAutoField(primary_key=True),
        "name": models.CharField(max_length=100),
        "note": models.TextField(null=True),
    }
    state = ProjectState()
    state.add_model(ModelState("leads", "Lead", fields))
    return state


def migration(*operations, module="tests.deploy.test_kubernetes_migrations"):
    kind = type("Migration", (migrations.Migration,), {"operations": list(operations)})
    kind.__module__ = module
    return kind("0009_planted", "leads")


def find_problems(*operations):
    return list(policy.findings(migration(*operations), before()))


def test_no_migration_breaks_the_previous_release():
    assert policy.all_findings(OURS) == []


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RemoveField("lead", "note"),
        migrations.RenameField("lead", "name", "title"),
        migrations.DeleteModel("Lead"),
        migrations.RenameModel("Lead", "Prospect"),
        migrations.AlterModelTable("lead", "prospect"),
        migrations.AddField("lead", "score", models.IntegerField(default=0)),
        migrations.AlterField("lead", "note", models.TextField(default="")),
        migrations.AlterField("lead", "name", models.CharField(max_length=50)),
        migrations.AlterField("lead", "name", models.CharField(max_length=100, unique=True)),
        migrations.AlterField("lead", "name", models.IntegerField()),
        migrations.AddConstraint(
            "lead", models.CheckConstraint(condition=models.Q(name__gt=""), name="named")
        ),
        migrations.AlterField("lead", "name", models.CharField(max_length=100, db_column="title")),
        migrations.AlterUniqueTogether("lead", {("name", "note")}),
        migrations.SeparateDatabaseAndState([migrations.RemoveField("lead", "note")]),
        migrations.SeparateDatabaseAndState([migrations.RunSQL("DROP TABLE leads_lead")]),
        migrations.RunSQL("ALTER TABLE leads_lead DROP COLUMN note"),
        migrations.RunSQL("CREATE INDEX i ON leads_lead (name); ALTER TABLE leads_lead DROP note"),
        migrations.RunSQL(["CREATE SEQUENCE turn", ("DELETE FROM leads_lead WHERE id = %s", [1])]),
        migrations.RunSQL("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT 2'"),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_migration_that_breaks_the_previous_release_is_found(operation):
    assert len(find_problems(operation)) == 1


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("lead", "score", models.IntegerField(null=True)),
        migrations.AddField("lead", "score", models.IntegerField(db_default=0)),
        migrations.AlterField("lead", "name", models.CharField(max_length=200, null=True)),
        migrations.AddIndex("lead", models.Index(fields=["name"], name="lead_by_name")),
        migrations.AlterField("lead", "name", models.CharField(max_length=100, db_column="name")),
        migrations.AlterUniqueTogether("lead", set()),
        migrations.SeparateDatabaseAndState([], [migrations.RemoveField("lead", "note")]),
        migrations.RunSQL("CREATE SEQUENCE turn; CREATE INDEX i ON leads_lead (name);"),
        migrations.RunSQL(["CREATE SEQUENCE turn", ("CREATE INDEX i ON leads_lead (name)", None)]),
        migrations.RunSQL(migrations.RunSQL.noop),
        migrations.RunPython(migrations.RunPython.noop),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_additive_migration_is_allowed(operation):
    assert find_problems(operation) == []


def test_table_created_in_the_migration_may_change():
    made = migrations.CreateModel("Score", [("id", models.BigAutoField(primary_key=True))])
    assert find_problems(made, migrations.AddField("score", "value", models.IntegerField())) == []


def test_table_created_in_database_operations_may_change():
    made = migrations.CreateModel("Score", [("id", models.BigAutoField(primary_key=True))])
    value = migrations.AddField("score", "value", models.IntegerField())
    assert find_problems(migrations.SeparateDatabaseAndState([made, value])) == []


def test_unique_rule_added_after_none_is_reported():
    none = migrations.AlterUniqueTogether("lead", None)
    (found,) = find_problems(none, migrations.AlterUniqueTogether("lead", {("name", "note")}))
    assert "may write it twice" in found


def test_migration_with_a_reason_may_remove_columns(monkeypatch):
    module = types.ModuleType("planted")
    module.CONTRACTS = "Nothing has read it since 1.4."  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "planted", module)
    assert policy.reason(migration(module="planted")) == "Nothing has read it since 1.4."
