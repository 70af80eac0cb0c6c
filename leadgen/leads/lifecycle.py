"""How a lead's status follows from what people do; the only place that decides it.

The type of the stage decides where work ends; before that the status tells how far it got. The
first note, stage change or completed task of a person counts as the first response; taking a lead
over or planning a task does not, because the visitor has not been answered by it.
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
    """Return the status once the lead has, or no longer has, an owner."""
    if status not in _UNTOUCHED:
        return status
    return "assigned" if owned else "new"


def after_response(status: str) -> str:
    """Return the status once a person has done something about the lead."""
    return "working" if status in _UNTOUCHED else status


def closes(stage_type: str) -> bool:
    """Tell whether a stage of this type ends the work on a lead."""
    return stage_type in _CLOSED
