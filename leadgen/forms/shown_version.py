"""The version of a form that a page or an API client names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """The version that a page shows: primary keys of form and version, its number, its language."""

    form_id: int
    version_id: int
    number: int
    locale: str
