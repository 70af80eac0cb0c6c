"""JSON Schema (draft 2020-12) of a form's answers."""

from typing import Any

from leadgen.forms.format.definition import Definition, FieldDefinition
from leadgen.forms.format.fields import KINDS


def json_schema(definition: Definition) -> dict[str, Any]:
    """Return the schema of an API client's ``fields`` object."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": definition.title,
        "type": "object",
        "properties": {field.name: _property(field) for field in definition.fields},
        "required": [field.name for field in definition.fields if field.required],
        "additionalProperties": False,
    }
    return schema | ({"description": definition.intro} if definition.intro else {})


def _property(field: FieldDefinition) -> dict[str, Any]:
    """Return the schema of one answer; an optional answer may be empty."""
    kind = KINDS[field.kind]
    schema = kind.json_schema(field)
    if not field.required:
        schema = {"anyOf": [schema, {"enum": list(kind.empties)}]}
    description = field.wording or field.help
    schema = {"title": field.label, "description": description} | schema
    if start := kind.start(field):
        schema["default"] = kind.parse(field, start)
    return {name: value for name, value in schema.items() if value != ""}
