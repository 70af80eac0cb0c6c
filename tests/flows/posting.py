"""What another process does: it imports this module and nothing of Django."""

import json
from threading import Barrier
from urllib.request import Request, urlopen


def post_as_one_of_many(url: str, number: int, ready: Barrier) -> int:
    """Wait for the others, post the same person under another name, return the status."""
    body = {"fields": {"name": f"Poster {number}", "email": "same.person@example.com"}}
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    ready.wait(60)
    with urlopen(request, timeout=30) as answer:
        return int(answer.status)
