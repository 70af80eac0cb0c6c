import re
from pathlib import Path

from deploy.policy import terraform
from deploy.policy.plans import Resource

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "deploy" / "terraform"
CLOUDS = ("aws", "gcp", "digitalocean")


def blocks(path, kind):
    return re.findall(rf'^{kind} "(\w+)"', path.read_text(encoding="utf-8"), re.M)


def resource_types():
    modules = "\n".join(path.read_text(encoding="utf-8") for path in TERRAFORM.rglob("*.tf"))
    return set(re.findall(r'^resource "(\w+)"', modules, re.M))


def resource(kind, **values):
    return Resource(f"module.some.{kind}.this", kind, values)


def broken(*resources):
    return {finding.split()[0] for finding in terraform.findings(list(resources))}
