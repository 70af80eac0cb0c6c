"""The published JSON Schema (draft 2020-12) of a form's answers."""

from typing import Any

from leadgen.forms.definition import Definition


def json_schema(definition: Definition) -> dict[str, Any]:
    """Return the schema that an API client's ``fields`` object must meet."""
    raise NotImplementedError
