"""Status rules of a lead: the only place that decides its status.

A won or lost stage closes the lead; before that the status shows its progress. The first note,
stage change or completed task of a person counts as the first response. An assignment or a planned
task does not, because neither answers the visitor.
"""

_UNTOUCHED = ("new", "assigned")
_SET_BY_HAND = ("qualified", "nurturing")
_CLOSED = {"won": "converted", "lost": "disqualified"}


def after_move(status: str, stage_type: str) -> str:
    """Return the status in a stage of this type: won converts, lost disqualifies, open works."""
    if stage_type in _CLOSED:
        return _CLOSED[stage_type]
    return status if status in _SET_BY_HAND else "working"


def after_assignment(status: str, *, owned: bool) -> str:
    """Return the status after an owner is set or removed."""
    if status not in _UNTOUCHED:
        return status
    return "assigned" if owned else "new"


def after_response(status: str) -> str:
    """Return the status after an act of a person on the lead."""
    return "working" if status in _UNTOUCHED else status


def after_withdrawal(status: str) -> str:
    """Return the status once every response was withdrawn."""
    return "new" if status == "working" else status


def closes(stage_type: str) -> bool:
    """Return whether a stage of this type closes the lead."""
    return stage_type in _CLOSED
