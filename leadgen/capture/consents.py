"""Consent records: the visitor's answer, the exact wording and its SHA-256 hash."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from leadgen.forms.format.definition import Definition


def consents_in(
    definition: Definition, answers: Mapping[str, Any], at: datetime
) -> list[dict[str, Any]]:
    """Return Submission.consents: {field, given, wording, wording_hash, at} per consent field.

    ``at`` is written in ISO 8601.
    """
    return [
        {
            "field": field.name,
            "given": answers.get(field.name) is True,
            "wording": field.wording,
            "wording_hash": _hash(field.wording),
            "at": at.isoformat(),
        }
        for field in definition.fields
        if field.kind == "consent"
    ]


@lru_cache(1000)
def _hash(wording: str) -> str:
    return hashlib.sha256(wording.encode()).hexdigest()
