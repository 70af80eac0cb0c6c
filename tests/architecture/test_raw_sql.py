"""Raw SQL names tables of its own package only; the listed exceptions are held to the models."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
# Packages and modules that read another package's tables, and why.
EXCEPTIONS = {
    # Visitors are served without the ORM: its threads and connections are Django's (ADR 0012).
    "leadgen.edge": {"forms_form", "forms_formversion", "forms_formaddress"},
    # A move looks into two databases at once, over connections that are not Django's.
    "leadgen.operations.transfer": {"capture_submission", "capture_repeat"},
}
# Modules whose SQL names columns that no other test compares with the models.
READERS = (
    "leadgen.edge.forms.form_cache",
    "leadgen.edge.forms.form_preloader",
    "leadgen.edge.forms.newer_versions",
    "leadgen.operations.transfer.object_copy",
    "leadgen.capture.ledger.lookup",
)
MODELS = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
LABELS = {
    config.label: config.name
    for config in apps.get_app_configs()
    if config.name.startswith("leadgen.")
}
OWNERS = {
    table: LABELS[table.partition("_")[0]]
    for table in MODELS
    if table.partition("_")[0] in LABELS  # the cache's table bears no app's label
}
_TABLE = re.compile(rf"\b(?:{'|'.join(sorted(OWNERS, key=len, reverse=True))})\b")
# A relation that is no model's, such as a sequence.
_RELATION = re.compile(
    r"(?:\b(?:FROM|JOIN|INTO|UPDATE|TABLE|ONLY)\s+|\b(?:nextval|setval|to_regclass)\(')"
    rf"((?:{'|'.join(LABELS)})_\w+)"
)
_SOURCE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+([a-z_]+)(?:\s+(?:AS\s+)?([a-z]\w*))?")
_READ = re.compile(rf"\b(?:FROM|JOIN|INTO|UPDATE)\s+{_TABLE.pattern}")
_NOT_COLUMNS = re.compile(r"'[^']*'|%\(\w+\)s|%s|::\w+(?:\[\])?|\b[a-z]\w*(?=\()|\b[A-Z_]+\b")
_COLUMN = re.compile(r"\b(?:([a-z]\w*)\.)?([a-z]\w*)\b")


def strings(tree: ast.Module) -> Iterator[str]:
    """Yield the string constants, the constant parts of f-strings too, without docstrings."""
    statements = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    docstrings = {id(value) for value in statements}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                yield text


def imported_models(tree: ast.Module) -> dict[str, str]:
    """Return the table of each imported model by the name that it has in the module."""
    tables = {(model.__module__, model.__name__): table for table, model in MODELS.items()}
    packages = {
        (package, model.__name__): table
        for table, model in MODELS.items()
        for package in (model.__module__.rpartition(".")[0],)
    }
    return {
        alias.asname or alias.name: table
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (table := (tables | packages).get((node.module or "", alias.name)))
    }


def tables_named(code: str) -> set[str]:
    """Return the relations of Leadgen's apps that strings, or ``Model._meta.db_table``, name."""
    tree = ast.parse(code)
    named = {
        table
        for text in strings(tree)
        for table in (*_TABLE.findall(text), *_RELATION.findall(text))
    }
    models = imported_models(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(
                attr="db_table", value=ast.Attribute(attr="_meta", value=ast.Name(id=name))
            ) if name in models:
                named.add(models[name])
    return named


def owner_of(relation: str) -> str:
    return OWNERS.get(relation) or LABELS[relation.partition("_")[0]]


def allowed(module: str, relation: str) -> bool:
    if f"{module}.".startswith(f"{owner_of(relation)}."):
        return True
    return any(
        f"{module}.".startswith(f"{package}.") and relation in tables
        for package, tables in EXCEPTIONS.items()
    )


def violations(module: str, code: str) -> set[str]:
    return {relation for relation in tables_named(code) if not allowed(module, relation)}


def modules() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "leadgen").rglob("*.py")):
        if "migrations" not in path.parts:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path.read_text()


def statements_of(module: str) -> Iterator[str]:
    """Yield the module's constants that read a table, put together as they are sent."""
    for value in vars(importlib.import_module(module)).values():
        texts = value.values() if isinstance(value, dict) else [value]
        yield from (text for text in texts if isinstance(text, str) and _READ.search(text))


def unknown_columns(statement: str) -> set[str]:
    """Return the names in a statement that are columns of none of its tables.

    Our SQL is written with keywords in capitals, so that what is left in small letters is a table,
    an alias or a column.
    """
    sources = [(table, alias) for table, alias in _SOURCE.findall(statement) if table in MODELS]
    tables = {table for table, _ in sources}
    aliases = {alias or table: table for table, alias in sources}
    columns = {
        table: {field.column for field in MODELS[table]._meta.concrete_fields} for table in tables
    }
    everywhere = set().union(*columns.values())
    unknown = set()
    for qualifier, name in _COLUMN.findall(_NOT_COLUMNS.sub(" ", statement)):
        if qualifier:
            is_column = name in columns.get(aliases.get(qualifier, ""), set())
        else:
            is_column = name in everywhere or name in aliases or name in tables
        if not is_column:
            unknown.add(f"{qualifier}.{name}".lstrip("."))
    return unknown


def test_raw_sql_names_tables_of_its_own_package_only():
    found = {name: bad for name, code in modules() if (bad := violations(name, code))}
    assert not found


def test_every_exception_is_used():
    named = {
        package: {
            relation
            for name, code in modules()
            if f"{name}.".startswith(f"{package}.")
            for relation in tables_named(code)
            if owner_of(relation) != package
        }
        for package in EXCEPTIONS
    }
    assert named == EXCEPTIONS


@pytest.mark.parametrize(
    ("module", "code", "relation"),
    [
        ("leads.planted", 'SQL = "UPDATE capture_submission SET state = %s"', "capture_submission"),
        ("leads.planted", 'SQL = f"SELECT {x} FROM capture_submission"', "capture_submission"),
        ("leads.planted", 'TABLE = "forms_formversion"', "forms_formversion"),
        ("edge.planted", 'def f(): run("SELECT id FROM accounts_user")', "accounts_user"),
        ("edge.planted", "SQL = \"SELECT nextval('leads_turn')\"", "leads_turn"),
        ("capture.planted", 'SQL = "TABLE forms_gone_tomorrow"', "forms_gone_tomorrow"),
        ("workspace.planted", '"""Doc."""\nSQL = "SELECT 1 FROM leads_lead"', "leads_lead"),
        ("operations.doctor", 'SQL = "SELECT id FROM capture_submission"', "capture_submission"),
        (
            "workspace.planted",
            "from leadgen.leads.models import Lead as L\nSQL = f'TABLE {L._meta.db_table}'",
            "leads_lead",
        ),
    ],
)
def test_a_table_of_another_package_is_caught(module, code, relation):
    assert violations(f"leadgen.{module}", code) == {relation}


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("capture.ledger.record", 'TABLE = "capture_submission"'),
        ("leads.intake.writing", "SQL = \"SELECT nextval('leads_turn')\""),
        ("leads.planted", '"""Reads capture_submission."""'),
        ("workspace.planted", 'url = reverse("admin:capture_submission_changelist")'),
        ("workspace.planted", 'count = "leads_count"'),
    ],
)
def test_own_tables_docstrings_and_page_names_are_allowed(module, code):
    assert not violations(f"leadgen.{module}", code)


@pytest.mark.parametrize("module", READERS)
def test_columns_in_raw_sql_are_fields_of_the_models(module):
    statements = list(statements_of(module))
    assert statements
    assert {text: bad for text in statements if (bad := unknown_columns(text))} == {}


def test_columns_of_all_foreign_tables_are_compared():
    reading = {
        name
        for name, code in modules()
        if any(_READ.search(text) for text in strings(ast.parse(code)))
        and any(not name.startswith(f"{owner_of(table)}.") for table in tables_named(code))
    }
    assert reading <= set(READERS)


@pytest.mark.parametrize(
    ("statement", "unknown"),
    [
        ("SELECT f.slugg FROM forms_form f WHERE f.id = %s", {"f.slugg"}),
        ("SELECT id, numberr FROM forms_formversion WHERE form_id = %s", {"numberr"}),
        (
            "SELECT v.slug FROM forms_form f JOIN forms_formversion v ON v.form_id = f.id",
            {"v.slug"},
        ),
        ("SELECT receipt FROM capture_submission WHERE id = ANY (%(asked)s)", {"receipt"}),
        ("SELECT definition::text, max(number) FROM forms_formversion", set()),
    ],
)
def test_a_column_that_no_model_has_is_caught(statement, unknown):
    assert unknown_columns(statement) == unknown
