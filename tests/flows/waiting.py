import time
from collections.abc import Callable


def eventually(holds: Callable[[], bool], *, seconds: float) -> None:
    """Poll until the condition holds; fail when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.05)
