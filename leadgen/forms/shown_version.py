"""Version of a form that a page or an API client shows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """Primary keys of form and version, number and locale of the version that a page shows."""

    form_id: int
    version_id: int
    number: int
    locale: str
