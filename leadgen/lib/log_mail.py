"""Mail backend of EMAIL_URL=console:// on a server: logs that mail was not sent, without its text.

The texts of notifications hold names and addresses of leads, which logs must not keep.
"""

import logging
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

logger = logging.getLogger(__name__)


class EmailBackend(BaseEmailBackend):
    """Drops mail and logs the number of its recipients."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            logger.warning(
                "mail not sent to %d recipients: EMAIL_URL is console://, set smtp://…",
                len(message.recipients()),
            )
        return len(email_messages)
