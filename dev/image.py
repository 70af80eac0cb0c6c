"""`make test-image`: build the image and run it for real; needs a Docker engine with Compose."""

import os
import subprocess
import sys

from dev import browser
from dev.console import fail, say
from dev.state import ROOT
from dev.test import environment

# A name of one's own keeps two checkouts on one engine apart, as COMPOSE_PROJECT_NAME does.
_TAG = os.environ.get("LEADGEN_IMAGE", "leadgen:test")


def main() -> None:
    """Build, run the tests marked ``image`` with the arguments given, end with their status."""
    try:
        _need_an_engine()
        variables = {"CHROMIUM": browser.chromium(), "LEADGEN_IMAGE": _TAG}
    except RuntimeError as error:
        fail(str(error))
    say(f"Building {_TAG} …")
    if subprocess.call(
        ["docker", "build", "--quiet", "--network=host", f"--tag={_TAG}", "."], cwd=ROOT
    ):
        fail("The image could not be built.")
    _name_stand_ins()
    pytest = [sys.executable, "-m", "pytest", "-m", "image", "-p", "no:randomly", "tests/deploy"]
    sys.exit(subprocess.call([*pytest, *sys.argv[1:]], cwd=ROOT, env=environment() | variables))


def _name_stand_ins() -> None:
    """Tag another local version of each pinned image that is missing and cannot be pulled."""
    for image in sorted(set(_docker("compose", "config", "--images").split())):
        if _docker("image", "inspect", "--format=here", image) or _docker("pull", "--quiet", image):
            continue
        repository = image.partition("@")[0].rpartition(":")[0]
        local = _docker("images", "--format={{.Repository}}:{{.Tag}}", repository).split()
        if local:
            say(f"{image} cannot be pulled; {local[0]} takes its name.")
            _docker("tag", local[0], image)


def _docker(*arguments: str) -> str:
    """Return what a Docker command prints, or nothing where it fails."""
    profiles = os.environ | {"COMPOSE_PROFILES": "*"}
    done = subprocess.run(
        ["docker", *arguments], cwd=ROOT, env=profiles, capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else ""


def _need_an_engine() -> None:
    for command in (["docker", "version"], ["docker", "compose", "version"]):
        try:
            answers = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            answers = False
        if not answers:
            raise RuntimeError(
                f"`{' '.join(command)}` fails: `make test-image` needs a running Docker engine with"
                " Compose, and leave to use it (DOCKER_HOST, or the group docker)."
            )


if __name__ == "__main__":
    main()
