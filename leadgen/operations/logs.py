"""Log lines: JSON for machines, short lines for a person at a terminal; no personal data."""

import logging


class JsonFormatter(logging.Formatter):
    pass


class ConsoleFormatter(logging.Formatter):
    pass
