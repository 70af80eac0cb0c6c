"""Password hashers that run one at a time in each process, with OWASP's cost for Argon2id."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from django.contrib.auth import hashers

# Threads that may wait for the running hash. A wrong log-in costs 20 to 50 ms of one core, so the
# last of them waits for about a second; more threads would only hold memory.
MAX_WAITING = 16
# For the case that something else takes the processor.
MAX_WAIT_SECONDS = 5.0
_THREAD_NAME = "password-hash"

Result = TypeVar("Result")

_running = threading.Lock()
_present = threading.BoundedSemaphore(MAX_WAITING + 1)
_thread = threading.local()


class HashingBusyError(Exception):
    """Too many passwords are being checked in this process; none was looked at."""

    retry_after = 3


@contextmanager
def hash_slot() -> Iterator[None]:
    """Wait for the right to hash in this process; raise HashingBusyError instead of queueing up.

    A thread that holds the slot may enter it again.
    """
    if getattr(_thread, "holds_slot", False):
        yield
        return
    if not _present.acquire(blocking=False):
        raise HashingBusyError
    try:
        with _acquired():
            yield
    finally:
        _present.release()


@contextmanager
def _acquired() -> Iterator[None]:
    if not _running.acquire(timeout=MAX_WAIT_SECONDS):
        raise HashingBusyError
    _thread.holds_slot = True
    try:
        yield
    finally:
        _thread.holds_slot = False
        _running.release()


def _hash(work: Callable[[], Result]) -> Result:
    """Run a hash in its slot, in the one thread of this process that hashes.

    glibc keeps the freed memory of a hash in an arena of its thread: with the threads of requests
    hashing themselves, 32 clients raised a process from 100 to 410 MB.
    """
    if threading.current_thread().name.startswith(_THREAD_NAME):
        return work()
    with hash_slot():
        return _thread_of(os.getpid()).submit(work).result()


@cache
def _thread_of(process: int) -> ThreadPoolExecutor:
    """Return the thread of this process; one made before a fork does not run after it."""
    return ThreadPoolExecutor(1, _THREAD_NAME)


class Argon2Hasher(hashers.Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one lane.

    These are the minimum parameters of the OWASP Password Storage Cheat Sheet. Django's default of
    100 MiB let 32 concurrent wrong log-ins take 1.5 GB (ADR 0023). Hashes made with other
    parameters are verified, and made anew at the next log-in.
    """

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return _hash(lambda: super(Argon2Hasher, self).encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        return _hash(lambda: super(Argon2Hasher, self).verify(password, encoded))


class PBKDF2Hasher(hashers.PBKDF2PasswordHasher):
    """PBKDF2 for hashes that came from elsewhere; replaced by Argon2 at the next log-in."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        return _hash(lambda: super(PBKDF2Hasher, self).encode(password, salt, iterations))

    def verify(self, password: str, encoded: str) -> bool:
        return _hash(lambda: super(PBKDF2Hasher, self).verify(password, encoded))
