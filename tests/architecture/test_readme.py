"""Map of the packages in the README: complete, and in the order of the layers."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PACKAGES = {path.parent.name for path in (ROOT / "leadgen").glob("*/__init__.py")}


def mapped(text: str) -> list[str]:
    """Return the packages of the map, in its order."""
    return re.findall(r"^\| `leadgen/(\w+)` \|", text, re.M)


def heights() -> dict[str, int]:
    """Return the number of each package's layer, the lowest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = reversed(contracts["contracts"][0]["layers"])
    return {name: height for height, row in enumerate(layers) for name in re.findall(r"\w+", row)}


def test_map_has_one_row_for_each_package():
    assert sorted(mapped(README)) == sorted(PACKAGES)


def test_map_is_in_the_order_of_the_layers():
    order = [heights()[name] for name in mapped(README)]
    assert order == sorted(order)


def test_package_without_a_row_is_caught():
    planted = README.replace("| `leadgen/leads` |", "| `leadgen/planted` |")
    assert sorted(mapped(planted)) != sorted(PACKAGES)
