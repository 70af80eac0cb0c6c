"""Secrets that people put into the store: the store's reader must be allowed to see them."""

import re

import pytest

from tests.deploy.steps import ROOT

COMPONENTS = ROOT / "deploy/kubernetes/components"


def by_hand():
    texts = [path.read_text() for path in COMPONENTS.rglob("*.yaml")]
    return {name for text in texts for name in re.findall(r"key: (leadgen-[\w-]+)", text)}


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_secret_reader_may_read_manual_secrets(cloud):
    text = (ROOT / f"deploy/terraform/modules/{cloud}/identity/main.tf").read_text()
    assert by_hand() == {"leadgen-backup-identity", "leadgen-mail"}
    assert all(f'"{name}' in text for name in by_hand())


def test_secrets_page_names_each_secret_and_its_creator():
    text = (ROOT / "deploy/docs/secrets.md").read_text()
    for name in by_hand():
        assert re.search(rf"^\| `{name}` \| `\w+` \| you", text, re.M)
