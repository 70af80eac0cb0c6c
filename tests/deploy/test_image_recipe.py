import json
import re

import pytest

from leadgen.processes.roles import ROLES
from tests.deploy.compose import ROOT, services

DOCKERFILE = (ROOT / "Dockerfile").read_text()
FINAL = DOCKERFILE.rsplit("\nFROM ", 1)[1]


def instruction(name):
    return re.findall(rf"^{name} (.+)$", FINAL, re.M)


def test_the_command_chooses_the_role():
    assert instruction("ENTRYPOINT") == []
    assert json.loads(instruction("CMD")[0]) == list(ROLES["web"].command)
    assert "command" not in services()["web"]


@pytest.mark.parametrize("role", ["web", "worker", "delivery", "beat", "migrate"])
def test_the_readme_names_the_command_of_each_role(role):
    row = re.search(rf"^\| {role} \| `(.+)` \|$", (ROOT / "README.md").read_text(), re.M)
    assert row
    command = services()[role].get("command") or list(ROLES["web"].command)
    assert set(row[1].split()) <= set(command)


def test_the_user_is_a_number_that_is_not_roots():
    user, group = instruction("USER")[0].split(":")
    assert int(user) >= 10_000
    assert group == "0"


def test_packages_are_installed_by_the_lock_file():
    assert "--require-hashes" in DOCKERFILE
    assert "--only-binary :all: -r" in DOCKERFILE


def test_final_stage_contains_no_build_step():
    assert re.findall(r"apt-get|pip install", FINAL) == []


def test_build_context_contains_only_sources_of_the_image():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M)
    sources = {source for line in copied for source in line.split()}
    assert sources == {rule[1:] for rule in rules if rule.startswith("!")}


def test_default_health_check_probes_web():
    assert json.loads(re.findall(r"^  CMD (.+)$", FINAL, re.M)[0])[-1] == "web"
