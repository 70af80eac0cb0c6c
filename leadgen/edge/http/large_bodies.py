"""Limit on concurrent large bodies of visitors' posts, for a process and for each network."""

from collections import Counter

from leadgen.edge.http.messages import Refusal, Request
from leadgen.lib.net.ip import packed_network

# Nearly every post is smaller. A character takes up to 12 bytes (an emoji, percent-encoded or as
# two escapes of JSON), so a text of 20,000 characters may take 240 KB.
FREE_BYTES = 65_536
# 16 bodies of 1 MB, the default of CAPTURE_MAX_BODY_BYTES, are 16 MB a process.
SLOTS = 16
SLOTS_PER_NETWORK = 4


class LargeBodies:
    """Counting semaphore of requests whose body is larger than FREE_BYTES."""

    def __init__(self) -> None:
        self._networks: dict[int, bytes] = {}

    def admit(self, request: Request, size: int) -> None:
        """Take a slot for a body of this size so far; raise Refusal (429) when none is free."""
        if size <= FREE_BYTES or id(request) in self._networks:
            return
        network = packed_network(request.address)
        is_full = len(self._networks) >= SLOTS
        if is_full or Counter(self._networks.values())[network] >= SLOTS_PER_NETWORK:
            text = "Too many large requests at once. Try again in a few seconds."
            raise Refusal(429, text, retry_after="5", connection="close")
        self._networks[id(request)] = network

    def release(self, request: Request) -> None:
        """Free the slot, if the request has one."""
        self._networks.pop(id(request), None)
