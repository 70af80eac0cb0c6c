"""Make .venv hold exactly what requirements/dev.txt pins, then run a command in it.

Runs before anything is installed: standard library only. ``python3 -m dev.bootstrap MODULE ARGS…``
"""

import os
import subprocess
import sys
import venv

if sys.version_info < (3, 11):  # noqa: UP036 - this is where an older one is told
    sys.exit("Leadgen needs Python 3.11 or newer. Name one: make PYTHON=python3.12 …")

from dev import debian
from dev.console import fail, has_colour, say
from dev.state import ROOT, fingerprint

VENV = ROOT / ".venv"
_PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements" / "dev.txt"


def main() -> None:
    """Bring the environment up to date and become the command in it."""
    stamp = VENV / ".installed"
    expected = [str(VENV), fingerprint(LOCK)]
    installed = stamp.read_text().split("\n") if stamp.exists() and _PYTHON.exists() else []
    if installed != expected:
        # A changed lock is installed over what is there: others may be running from it.
        if installed[:1] != expected[:1]:
            _make_venv()
        _install()
        stamp.write_text("\n".join(expected))
    os.chdir(ROOT)
    os.execv(_PYTHON, [str(_PYTHON), "-m", *sys.argv[1:]])  # noqa: S606 - no shell is wanted


def _make_venv() -> None:
    say(f"Setting up .venv with Python {sys.version.split()[0]} …")
    try:
        import ensurepip  # noqa: F401 - Debian packages it apart
    except ImportError:
        _get_ensurepip()
    try:
        venv.create(VENV, with_pip=True, clear=True, symlinks=True)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"{VENV} cannot be made: {error}")


def _get_ensurepip() -> None:
    package = "python{}.{}-venv".format(*sys.version_info)
    if not debian.can_install():
        fail(f"This Python comes without ensurepip. Install it: sudo apt-get install {package}")
    debian.install([package])


def _install() -> None:
    say("Installing requirements/dev.txt …")
    total = LOCK.read_text().count("==")
    command = [f"{_PYTHON}", "-m", "pip", "install", "--disable-pip-version-check"]
    options = ["--no-input", "--progress-bar=off", "--no-deps", "--require-hashes"]
    child = subprocess.Popen(
        [*command, *options, "-r", LOCK],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output_lines = _follow(child, total)
    if child.wait():
        fail("pip could not install requirements/dev.txt:\n" + "".join(output_lines[-15:]))
    say(f"Installed {total} packages, each checked against its hash.")


def _follow(child: "subprocess.Popen[str]", total: int) -> list[str]:
    output_lines: list[str] = []
    done = 0
    for line in child.stdout or ():
        output_lines.append(line)
        if line.startswith(("Collecting ", "Requirement already ")):
            done += 1
            _progress(done, total, line.split()[1].split("==")[0])
    return output_lines


def _progress(done: int, total: int, name: str) -> None:
    if has_colour():
        print(f"\r\033[K  {done} of {total}  {name}", end="\n" if done == total else "", flush=True)
    elif done % 25 == 0:
        say(f"  {done} of {total} packages")


if __name__ == "__main__":
    main()
