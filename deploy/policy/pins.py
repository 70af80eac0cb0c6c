"""Pinned images of services: exact versions, digests, and a warning about their age.

``python3 -m deploy.policy.pins warn DAYS`` prints the warnings and always ends with 0;
``… write FILE`` takes lines of image and digest. deploy/ci/pin.sh calls both.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

DEPLOY = Path(__file__).resolve().parents[1]
REGISTRY = DEPLOY / "ci/images.txt"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of images.txt; ``digest`` is empty until a registry was asked."""

    image: str
    digest: str
    dated: date

    @property
    def name(self) -> str:
        """The image as manifests name it."""
        return f"{self.image}@{self.digest}" if self.digest else self.image

    @property
    def line(self) -> str:
        """The pin as a line of images.txt."""
        return f"{self.image} {self.digest or '-'} {self.dated}"


def parse(text: str) -> list[Pin]:
    """Return the pins of images.txt."""
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return [Pin(image, digest.strip("-"), date.fromisoformat(day)) for image, digest, day in lines]


def warnings(pins: Iterable[Pin], today: date, days: int) -> Iterator[str]:
    """Yield a warning for each version that was chosen more than ``days`` days ago."""
    for pin in pins:
        age = (today - pin.dated).days
        if age > days:
            yield f"warning: {pin.image} was chosen {age} days ago; look for a newer version"


def with_digests(pins: Iterable[Pin], digests: dict[str, str]) -> list[Pin]:
    """Return the pins with the digests that a registry named."""
    return [replace(pin, digest=digests.get(pin.image, pin.digest)) for pin in pins]


def rewrite(text: str, pins: Iterable[Pin]) -> str:
    """Return a manifest whose images carry the digests of the pins."""
    for pin in pins:
        pattern = rf"(?<=[ =]){re.escape(pin.image)}(@{DIGEST.pattern})?(?=\s)"
        text = re.sub(pattern, pin.name, text)
    return text


def manifests() -> list[Path]:
    """Return the files that name images of services."""
    components = (DEPLOY / "kubernetes/components").rglob("*.yaml")
    return [DEPLOY.parent / "docker-compose.yml", *sorted(components)]


def write(lines: Iterable[str]) -> None:
    """Write the digests of lines "image digest" into images.txt and the manifests."""
    found = [line.split() for line in lines]
    digests = {line[0]: line[1] for line in found if len(line) == 2 and DIGEST.fullmatch(line[1])}
    text = REGISTRY.read_text(encoding="utf-8")
    pins = with_digests(parse(text), digests)
    head = [line for line in text.splitlines() if line.startswith("#")]
    REGISTRY.write_text("\n".join([*head, *(pin.line for pin in pins)]) + "\n", encoding="utf-8")
    for path in manifests():
        before = path.read_text(encoding="utf-8")
        if (after := rewrite(before, pins)) != before:
            path.write_text(after, encoding="utf-8")


def main(command: str, argument: str) -> None:
    """Run the command of the command line."""
    if command == "write":
        write(Path(argument).read_text(encoding="utf-8").splitlines())
    else:
        pins = parse(REGISTRY.read_text(encoding="utf-8"))
        found = warnings(pins, datetime.now(UTC).date(), int(argument))
        sys.stdout.writelines(f"{warning}\n" for warning in found)


if __name__ == "__main__":
    main(*sys.argv[1:])
