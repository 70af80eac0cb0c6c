"""Named conditions of leads and tasks: the one spelling that filters, counts and indexes share.

QuerySet methods in visibility.py wrap them; ``Count(filter=…)`` and partial indexes use them bare.
"""

from django.db.models import Q

OPEN = Q(closed_at=None)
CLOSED = Q(closed_at__isnull=False)
ANSWERED = Q(first_response_at__isnull=False)
# A message that came after the last act of a person waits for an answer like a first one.
UNANSWERED = Q(closed_at=None) & (Q(first_response_at=None) | Q(new_message_at__isnull=False))
NO_OWNER = Q(owner=None)
UNOWNED = OPEN & NO_OWNER
# Each lead is open, won or lost, and one of them only, whatever becomes of its stage's type.
WON = CLOSED & Q(stage__type="won")
LOST = CLOSED & ~Q(stage__type="won")
TASK_OPEN = Q(done_at=None)
TASK_DONE = Q(done_at__isnull=False)
TASK_UNOWNED = TASK_OPEN & NO_OWNER
