"""Register of exceptions: permitted violations of rules, with owner and last day."""

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

REGISTER = Path(__file__).resolve().parents[1] / "docs" / "exceptions.md"
SKIPS = Path(__file__).with_name("checkov.yaml")


@dataclass(frozen=True, slots=True)
class Exemption:
    """One row: its id, the checks it excuses, its owner, and its last day."""

    id: str
    checks: tuple[str, ...]
    owner: str
    expires: datetime.date


def register(text: str) -> list[Exemption]:
    """Return the rows of the register; raise ValueError for a row without checks, owner or date."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| EX-")]
    return [_exemption([cell.strip() for cell in row]) for row in rows]


def skips(text: str) -> list[str]:
    """Return the checks that checkov's configuration leaves out."""
    return re.findall(r"^ +- (CKV\w+)", text, re.M)


def unexcused(findings: list[str], exemptions: list[Exemption]) -> list[str]:
    """Return the findings ("rule type address: …") that no row names by its rule and type."""
    excused = tuple(f"{check} " for one in exemptions for check in one.checks)
    return [finding for finding in findings if not finding.startswith(excused or "\0")]


def expired(exemptions: list[Exemption], today: datetime.date) -> list[str]:
    """Return a line for each row that is past its last day."""
    return [
        f"{one.id} expired on {one.expires}: {one.owner} mends it or renews it with a reason"
        for one in exemptions
        if one.expires < today
    ]


def _exemption(cells: list[str]) -> Exemption:
    if len(cells) != 5 or not all(cells):
        raise ValueError(f"{cells[0]}: a row has id, checks, reason, owner and last day")
    checks = tuple(re.findall(r"`([^`]+)`", cells[1]))
    try:
        expires = datetime.date.fromisoformat(cells[4])
    except ValueError as error:
        raise ValueError(f"{cells[0]}: the last day must be a date, such as 2027-11-30") from error
    return Exemption(cells[0], checks, cells[3], expires)
