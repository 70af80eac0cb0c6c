import ast
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READERS = {"string", "integer", "boolean", "listing"}
LINE = re.compile(r"^#([A-Z][A-Z0-9_]*)=(.*)$", re.M)
GOOD = {
    "SECRET_KEY": "x" * 40,
    "ALLOWED_HOSTS": "forms.example.com",
    "PUBLIC_URL": "https://forms.example.com",
    "DATABASE_URL": "postgresql://leadgen@db.example.com/leadgen",
    "BROKER_URL": "amqp://broker.example.com",
    "STORAGE_URL": "file:///nowhere",
}


def readings():
    for path in (ROOT / "leadgen").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="env"), attr=reader),
                    args=[ast.Constant(value=name), *rest],
                ) if reader in READERS:
                    yield name, rest[0] if rest else ast.Constant(value="")


def documented():
    return dict(LINE.findall((ROOT / ".env.example").read_text()))


def as_written(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def load_settings(**env):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", "from leadgen import settings; print(settings.SECRET_KEY)"],
        env={**kept, **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_env_example_lists_exactly_the_variables_read():
    assert set(documented()) == {name for name, _ in readings()}


def test_the_example_shows_the_default_that_the_code_has():
    example = documented()
    literal = [(name, node.value) for name, node in readings() if isinstance(node, ast.Constant)]
    assert [(name, example[name]) for name, _ in literal] == [
        (name, as_written(value)) for name, value in literal
    ]


def test_every_variable_of_the_example_has_a_comment_above_it():
    lines = (ROOT / ".env.example").read_text().splitlines()
    bare = [
        line
        for above, line in itertools.pairwise(lines)
        if LINE.match(line) and not above.startswith("# ")
    ]
    assert not bare


def test_start_without_debug_names_all_missing_settings():
    done = load_settings()
    assert done.returncode != 0
    for name in GOOD:
        assert f"  {name}: " in done.stderr


@pytest.mark.parametrize("name", GOOD)
def test_a_start_without_debug_refuses_when_one_is_missing(name):
    done = load_settings(**{key: value for key, value in GOOD.items() if key != name})
    assert done.returncode != 0
    assert [f"  {key}: " in done.stderr for key in GOOD] == [key == name for key in GOOD]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("ALLOWED_HOSTS", "*"),
        ("PUBLIC_URL", "forms.example.com"),
        ("DATABASE_URL", "sqlite:///leads.db"),
        ("BROKER_URL", "carrier-pigeon://"),
        ("CACHE_URL", "memory://"),
        ("TRUSTED_PROXIES", "one"),
        ("INTAKE_MAX_PARALLEL", "-1"),
        ("OUTBOUND_ALLOWED_NETWORKS", "10.1.2.3/24"),
        ("DEBUG", "maybe"),
    ],
)
def test_refusal_of_an_invalid_value_names_its_variable(name, value):
    code = "import django; django.setup(); import leadgen.celery"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "leadgen.settings"}
        | GOOD
        | {name: value},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name}" in done.stderr


def test_a_start_with_everything_set_is_accepted():
    assert load_settings(**GOOD).returncode == 0


def test_secret_is_read_from_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("from-a-file-" + "y" * 40 + "\n")
    rest = {key: value for key, value in GOOD.items() if key != "SECRET_KEY"}
    done = load_settings(**rest, SECRET_KEY_FILE=str(secret))
    assert done.stdout.strip() == "from-a-file-" + "y" * 40


def test_error_names_the_missing_secret_file(tmp_path):
    done = load_settings(**GOOD | {"SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "gone")})
    assert done.returncode != 0
    assert f"SECRET_KEY_FILE={tmp_path / 'gone'} cannot be read" in done.stderr
