"""Names and docstrings of the product: nouns first, each class name once, small folders."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ROOT / "leadgen"
# A docstring that begins like this describes a module instead of naming it.
QUESTION = re.compile(r"(What|Who|Where|How|Whatever|Whoever|Whom|Whose|Which|Why|When)\b")
# Names that Django looks up.
DJANGO = {"Meta", "Migration", "Command", "Media"}
MAX_MODULES = 15


def modules(product: Path) -> list[Path]:
    return sorted(path for path in product.rglob("*.py") if "migrations" not in path.parts)


def question_docstrings(product: Path) -> list[str]:
    return [
        str(path.relative_to(product))
        for path in modules(product)
        if QUESTION.match(ast.get_docstring(ast.parse(path.read_text())) or "")
    ]


def public_classes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def repeated_classes(product: Path) -> list[str]:
    counts = Counter(name for path in modules(product) for name in public_classes(path))
    return sorted(name for name, count in counts.items() if count > 1 and name not in DJANGO)


def counted(paths: Iterable[Path]) -> Counter[Path]:
    return Counter(path.parent for path in paths if path.name not in ("__init__.py", "apps.py"))


def large_folders(product: Path) -> list[str]:
    counts = counted(modules(product))
    return sorted(str(path.relative_to(product)) for path in counts if counts[path] > MAX_MODULES)


def test_module_docstring_begins_with_a_noun_or_verb():
    assert question_docstrings(PRODUCT) == []


def test_public_class_name_occurs_once():
    assert not repeated_classes(PRODUCT)


def test_folder_has_at_most_15_modules():
    assert not large_folders(PRODUCT)


@pytest.mark.parametrize("word", ["What", "Who", "Where", "How", "Whatever", "Whoever"])
def test_question_docstring_is_caught(tmp_path, word):
    (tmp_path / "good.py").write_text('"""Whole parts of a page."""\n')
    (tmp_path / "planted.py").write_text(f'"""{word} is here."""\n')
    assert question_docstrings(tmp_path) == ["planted.py"]


@pytest.mark.parametrize(
    "code",
    ["class Row:\n    pass\n", "class Outer:\n    class Row:\n        pass\n"],
    ids=["plain", "nested"],
)
def test_repeated_class_name_is_caught(tmp_path, code):
    (tmp_path / "first.py").write_text("class Row:\n    class Meta:\n        pass\n")
    (tmp_path / "second.py").write_text(code + "class Meta:\n    pass\n")
    assert repeated_classes(tmp_path) == ["Row"]


def test_folder_with_16_modules_is_caught(tmp_path):
    folder = tmp_path / "package"
    (folder / "migrations").mkdir(parents=True)
    for name in ("__init__", "apps", "migrations/0001_initial", *map(chr, range(97, 112))):
        (folder / f"{name}.py").touch()
    assert not large_folders(tmp_path)
    (folder / "planted.py").touch()
    assert large_folders(tmp_path) == ["package"]
