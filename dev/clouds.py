"""`make test-clouds`: the real Terraform on all three roots, AWS applied on an emulator.

Needs terraform and terraform-lab (TERRAFORM_LAB, or ../shared/bin/terraform-lab); not part of
`make test`.
"""

import datetime
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.policy import exceptions, plans, terraform
from dev.console import fail, paint, say
from dev.ports import any_free
from dev.process import Process
from dev.state import ROOT, VAR

_TERRAFORM = ROOT / "deploy" / "terraform"
_STATE = Path(os.environ.get("TERRAFORM_LAB_STATE", "/var/tmp/terraform-lab"))  # noqa: S108
_CLOUDS = ("aws", "gcp", "digitalocean")


def main() -> None:
    """Format, validate, test, plan and apply; hold what comes out to the policy."""
    lab = _lab()
    _step("format", ["terraform", "fmt", "-check", "-recursive", _TERRAFORM])
    _step("tools", [lab, "up"])
    for tested in (_TERRAFORM / "modules" / "labels", *(_root(cloud) for cloud in _CLOUDS)):
        _step(f"test {tested.name}", [lab, "test", tested])
    with _emulator(lab) as port:
        env = {"TERRAFORM_LAB_MOTO_PORT": str(port)}
        for cloud in _CLOUDS:
            _hold(_plan(lab, cloud, env), cloud)
        _hold(_apply(lab, env), "aws as applied", by_checkov=False)
    say(paint("All three clouds passed.", "green"))


def _lab() -> Path:
    lab = Path(os.environ.get("TERRAFORM_LAB", ROOT.parent / "shared" / "bin" / "terraform-lab"))
    if not shutil.which("terraform"):
        fail("terraform is not on the PATH: install 1.10 or newer from developer.hashicorp.com.")
    if not lab.exists():
        fail(f"No terraform-lab at {lab}: set TERRAFORM_LAB to it.")
    return lab


def _root(cloud: str) -> Path:
    return _TERRAFORM / "roots" / cloud


def _plan(lab: Path, cloud: str, env: dict[str, str]) -> str:
    variables = f"-var-file={_root(cloud)}/terraform.tfvars.example"
    return _shown(_step(f"plan {cloud}", [lab, "plan", _root(cloud), variables, "-out=plan"], env))


def _apply(lab: Path, env: dict[str, str]) -> str:
    variables = f"-var-file={_root('aws')}/terraform.tfvars.example"
    return _shown(_step("apply aws", [lab, "apply", _root("aws"), variables], env))


def _shown(output: str) -> str:
    """Return the plan or state as JSON from the folder that terraform-lab says, and remove that."""
    summary = next(line for line in output.splitlines() if line.startswith("terraform-lab: "))
    work = Path(summary.rpartition(" in ")[2])
    result = [line for line in output.splitlines() if line.startswith(("Plan:", "Apply complete"))]
    say(f"  {result[-1]}")
    planned = ["plan"] if (work / "plan").exists() else []
    try:
        return _run(["terraform", "show", "-json", *planned], {}, work).stdout
    finally:
        shutil.rmtree(work.parents[1])


def _hold(document: str, name: str, by_checkov: bool = True) -> None:
    """Compare a plan or state with the policy and with checkov."""
    exemptions = exceptions.register(exceptions.REGISTER.read_text(encoding="utf-8"))
    problems = exceptions.unexcused(terraform.findings(plans.load(document)), exemptions)
    problems += exceptions.expired(exemptions, datetime.datetime.now(datetime.UTC).date())
    if problems:
        fail(f"policy {name}:\n" + "\n".join(problems))
    say(f"{paint('✓', 'green')} policy {name}")
    if by_checkov:
        path = VAR / "clouds" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document, encoding="utf-8")
        _step(f"checkov {name}", [_checkov(), "--config-file", exceptions.SKIPS, "-f", path])
        path.unlink()


def _checkov() -> Path:
    """Return checkov in an environment of its own: its HCL parser clashes with others."""
    folder = VAR / "clouds" / "checkov"
    if not (folder / "bin" / "checkov").exists():
        _step("install checkov", [sys.executable, "-m", "venv", folder])
        _step("install checkov", [folder / "bin" / "pip", "install", "-q", "checkov==3.3.30"])
    return folder / "bin" / "checkov"


@contextmanager
def _emulator(lab: Path) -> Iterator[int]:
    port = any_free()
    emulator = Path(__file__).with_name("aws_emulator.py")
    extension = lab.parent.parent / "terraform-lab" / "moto_ext.py"
    python = _STATE / "venv" / "bin" / "python"
    command: list[str | Path] = [python, emulator, extension, "-H", "127.0.0.1", "-p", str(port)]
    ready: list[str] = []
    process = Process("moto", command, env=os.environ, output=ready.append)
    try:
        while process.exit_code() is None and not any("Running on" in line for line in ready):
            time.sleep(0.2)
        if process.exit_code() is not None:
            fail(f"The emulator ended:\n{process.output()}")
        yield port
    finally:
        process.stop()


def _step(name: str, command: list[str | Path], env: dict[str, str] | None = None) -> str:
    started = time.monotonic()
    done = _run(command, env or {}, ROOT)
    seconds = paint(f"({time.monotonic() - started:.0f} s)", "dim")
    if done.returncode:
        fail(f"{name}:\n{done.stdout}{done.stderr}")
    say(f"{paint('✓', 'green')} {name} {seconds}")
    return done.stdout


def _run(
    command: list[str | Path], env: dict[str, str], folder: Path
) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ,
        "TF_CLI_CONFIG_FILE": "/dev/null",
        "GOOGLE_PROJECT": "example",
        **env,
    }
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    main()
