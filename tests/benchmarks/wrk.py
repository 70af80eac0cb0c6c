"""Many clients at once: Debian's wrk, each request with an e-mail address and a key of its own."""

import json
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

from dev import debian

_SCRIPT = Path(__file__).with_name("submit.lua")


@dataclass(frozen=True)
class Load:
    """What the clients saw; ``refused`` are answers of 400 and above, ``broken`` none at all."""

    accepted: int
    refused: int
    broken: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: float


def ensure() -> None:
    """Make sure that wrk is here; raise RuntimeError that says what to install."""
    if shutil.which("wrk"):
        return
    if not debian.can_install():
        raise RuntimeError("The benchmarks need wrk. Install it once: sudo apt-get install wrk")
    debian.install(["wrk"])


def post(url: str, body: dict[str, Any], *, clients: int, seconds: int) -> Load:
    """Post from so many connections, each waiting for its answer; UNIQUE in the body varies."""
    limits = ["-t", "1", "-c", f"{clients}", "-d", f"{seconds}", "--timeout", "10"]
    before = _cpu()
    done = subprocess.run(
        ["wrk", *limits, "-s", f"{_SCRIPT}", url, "--", uuid4().hex[:12], json.dumps(body)],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 30,
    )
    seen = json.loads(done.stdout.splitlines()[-1])
    return Load(
        seen["answers"] - seen["refused"],
        seen["refused"],
        seen["broken"],
        seen["duration"] / 1e6,
        seen["p50"] / 1e3,
        seen["p99"] / 1e3,
        _cpu() - before,
    )


def answer(url: str, body: dict[str, Any]) -> str:
    """Post once and return what was answered."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
    try:
        with urlopen(Request(url, json.dumps(body).encode(), headers), timeout=10) as given:
            return f"{given.status} {given.read().decode()}"
    except HTTPError as refused:
        return f"{refused.code} {refused.read().decode()}"


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
