"""Named conditions of leads and tasks: the one spelling that filters, counts and indexes share.

QuerySet methods in visibility.py wrap them; ``Count(filter=…)`` and partial indexes use them bare.
"""

from django.db.models import Q

OPEN = Q(closed_at=None)
ANSWERED = Q(first_response_at__isnull=False)
UNANSWERED = Q(closed_at=None, first_response_at=None)
NO_OWNER = Q(owner=None)
UNOWNED = OPEN & NO_OWNER
WON = Q(stage__type="won")
LOST = Q(stage__type="lost")
TASK_OPEN = Q(done_at=None)
