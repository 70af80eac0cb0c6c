"""Commands of Leadgen, run as processes on backends of a test's own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadgen.operations.transfer import tables

ROOT = Path(__file__).resolve().parents[1]
Done = subprocess.CompletedProcess[str]


@dataclass
class Deployment:
    """Backends, and commands of this checkout on them."""

    backends: dict[str, str]

    @property
    def parameters(self) -> dict[str, Any]:
        return tables.parameters(self.backends["DATABASE_URL"])

    def manage(self, *arguments: str, **environment: str) -> Done:
        return self.python("manage.py", *arguments, **environment)

    def python(self, *arguments: str, **environment: str) -> Done:
        with self.start(*arguments, **environment) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        ours = {"DEBUG": "true", "DJANGO_SETTINGS_MODULE": "leadgen.settings"}
        return subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, **ours, "PYTHONPATH": str(ROOT), **self.backends, **environment},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
