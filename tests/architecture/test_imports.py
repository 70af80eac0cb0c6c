import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# What each cloud and S3 client is imported as.
CLOUD = re.compile(
    r"^\s*(?:from|import)\s+(boto3|botocore|aioboto3|azure|google\.cloud|googleapiclient|minio"
    r"|digitalocean|pydo|oci)\b",
    re.M,
)


def lint(code, name="leadgen/leads/planted.py"):
    done = subprocess.run(
        [
            BIN / "ruff",
            "check",
            "--no-cache",
            "--output-format=concise",
            f"--stdin-filename={name}",
            "-",
        ],
        input=code,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(
        ROOT / "leadgen",
        tmp_path / "leadgen",
        ignore=shutil.ignore_patterns("static", "templates", "__pycache__", "migrations"),
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(folder):
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "DEBUG": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_only_the_storage_backends_name_a_cloud_sdk():
    named = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "leadgen").rglob("*.py")
        if CLOUD.search(path.read_text())
    }
    assert named <= {"leadgen/lib/backends.py"}


@pytest.mark.parametrize(
    "code",
    [
        "import requests\n\nrequests.get('x', timeout=1)\n",
        "import httpx\n\nhttpx.get('x')\n",
        "import urllib3\n\nurllib3.PoolManager()\n",
        "from urllib.request import urlopen\n\nurlopen('x')\n",
        "from http.client import HTTPConnection\n\nHTTPConnection('x')\n",
        "import os\n\nos.environ['X']\n",
        "import os\n\nos.getenv('X')\n",
        "from os import environ\n\nenviron['X']\n",
        "from django.dispatch import receiver\n\nreceiver\n",
        "from django.db.models.signals import post_save\n\npost_save\n",
        "from django.db.models import signals\n\nsignals.post_save\n",
        "from datetime import datetime\n\ndatetime.utcnow()\n",
        "from prometheus_client import Counter\n\nCounter('x', 'x')\n",
        "import prometheus_client\n\nprometheus_client.Histogram('x', 'x')\n",
    ],
)
def test_a_banned_name_is_caught(code):
    assert "TID251" in lint(code)


HTTP_CLIENTS = [
    "import urllib3\n\nurllib3.PoolManager()\n",
    "from urllib3.connection import HTTPSConnection\n\nHTTPSConnection('x')\n",
    "import requests\n\nrequests.get('x', timeout=1)\n",
    "import httpx\n\nhttpx.get('x')\n",
    "import urllib.request\n\nurllib.request.urlopen('x')\n",
    "import http.client\n\nhttp.client.HTTPConnection('x')\n",
]


@pytest.mark.parametrize("code", HTTP_CLIENTS)
@pytest.mark.parametrize(
    "name",
    ["leadgen/leads/planted.py", "leadgen/lib/planted.py", "leadgen/lib/net/planted.py"],
)
def test_http_client_is_imported_by_the_outbound_client_only(code, name):
    assert "Outbound HTTP goes through leadgen.lib.net.http" in lint(code, name)
    assert "TID251" not in lint(code, "leadgen/lib/net/http.py")


def test_messages_name_a_module_that_exists():
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    messages = " ".join(ban["msg"] for ban in rules["flake8-tidy-imports"]["banned-api"].values())
    named = {name.rstrip(".") for name in re.findall(r"leadgen\.[a-z_.]+", messages)}
    assert named == {"leadgen.lib.env", "leadgen.lib.net.http", "leadgen.lib.telemetry.metrics"}
    assert all((ROOT / f"{name.replace('.', '/')}.py").is_file() for name in named)


def test_the_reader_of_the_environment_may_read_it():
    assert "TID251" not in lint("import os\n\nos.environ['X']\n", "leadgen/lib/env.py")


def test_unchanged_code_keeps_every_import_contract(copy):
    status, said = lint_imports(copy)
    assert status == 0, said


@pytest.mark.parametrize(
    ("module", "code", "contract"),
    [
        ("leadgen/forms/planted.py", "import leadgen.leads.models", "Imports point upstream"),
        ("leadgen/events/planted.py", "import leadgen.accounts.models", "Imports point upstream"),
        ("leadgen/stranger/__init__.py", "", "Imports point upstream"),
        ("leadgen/lib/planted.py", "import celery", "The library knows neither models nor domains"),
        ("leadgen/leads/intake/matching.py", "import leadgen.leads.models", "Rules are pure"),
        ("leadgen/capture/screening.py", "import psycopg", "Rules are pure"),
        ("leadgen/edge/app.py", "import leadgen.forms.models", "The edge imports no models"),
    ],
)
def test_an_import_against_the_stream_is_caught(copy, module, code, contract):
    path = copy / module
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(f"\n{code}\n")
    status, said = lint_imports(copy)
    assert status == 1
    assert f"{contract} BROKEN" in said or f"{contract}\n" in said.split("Broken contracts")[-1]
