"""`make lock`: pin requirements/*.in with hashes; find stale pins without a network."""

import subprocess
import sys
from pathlib import Path

from dev.console import fail, say
from dev.state import ROOT, fingerprint

FOLDER = ROOT / "requirements"
# Each lock and the files that it was made from; the second is held to the first.
SOURCES = {"runtime": ["runtime.in"], "dev": ["dev.in", "runtime.in"]}
_MARK = "# Made from inputs with SHA-256 "


def main() -> None:
    """Write both locks; arguments such as --upgrade go to uv."""
    for name in SOURCES:
        _compile(name, sys.argv[1:])
        say(f"requirements/{name}.txt is pinned.")


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the names of locks whose inputs have changed since they were made."""
    return [
        f"{name}.txt"
        for name, sources in SOURCES.items()
        if f"{_MARK}{_inputs(sources, folder)}\n" not in (folder / f"{name}.txt").read_text()
    ]


def _inputs(sources: list[str], folder: Path) -> str:
    return fingerprint(*(folder / source for source in sources))


def _compile(name: str, arguments: list[str]) -> None:
    target = FOLDER / f"{name}.txt"
    held = [] if name == "runtime" else ["--constraint", "requirements/runtime.txt"]
    fixed = ["--generate-hashes", "--universal", "--python-version", "3.11", "--quiet"]
    hostless = ["--no-emit-index-url", "--no-emit-find-links"]
    header = ["--custom-compile-command", "make lock"]
    command = [f"{Path(sys.executable).parent}/uv", "pip", "compile", *fixed, *hostless, *header]
    paths = ["-o", f"requirements/{name}.txt", f"requirements/{name}.in"]
    done = subprocess.run([*command, *held, *arguments, *paths], cwd=ROOT, check=False)
    if done.returncode:
        fail(f"uv could not pin requirements/{name}.in.")
    first, rest = target.read_text().split("\n", 1)
    target.write_text(f"{first}\n{_MARK}{_inputs(SOURCES[name], FOLDER)}\n{rest}")


if __name__ == "__main__":
    main()
