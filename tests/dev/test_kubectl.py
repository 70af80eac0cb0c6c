import pytest

from dev import debian, kubectl


def stand_in(folder, said):
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("minor", ["27", "32", "33+"])
def test_kubectl_of_a_supported_version_is_used(tmp_path, monkeypatch, minor):
    path = stand_in(tmp_path, f'{{"clientVersion": {{"minor": "{minor}"}}}}')
    monkeypatch.setenv("KUBECTL", path)
    assert kubectl.program() == path


@pytest.mark.parametrize("said", ['{"clientVersion": {"minor": "20+"}}', "no json"])
def test_old_or_broken_kubectl_is_refused_with_a_fix(tmp_path, monkeypatch, said):
    monkeypatch.setenv("KUBECTL", stand_in(tmp_path, said))
    with pytest.raises(RuntimeError, match=r"(?s)kubectl 1\.27 or newer.*make test KUBECTL="):
        kubectl.program()


def test_missing_kubectl_is_reported_without_install_rights(monkeypatch):
    monkeypatch.delenv("KUBECTL", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(debian, "can_install", lambda: False)
    with pytest.raises(RuntimeError, match="found none"):
        kubectl.program()
