import pytest

from dev import debian, kubectl


def stand_in(folder, said):
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("minor", ["27", "32", "33+"])
def test_a_kubectl_that_is_new_enough_is_taken(tmp_path, monkeypatch, minor):
    path = stand_in(tmp_path, f'{{"clientVersion": {{"minor": "{minor}"}}}}')
    monkeypatch.setenv("KUBECTL", path)
    assert kubectl.program() == path


@pytest.mark.parametrize("said", ['{"clientVersion": {"minor": "20+"}}', "no json"])
def test_an_old_or_broken_one_is_refused_with_what_to_do(tmp_path, monkeypatch, said):
    monkeypatch.setenv("KUBECTL", stand_in(tmp_path, said))
    with pytest.raises(RuntimeError, match=r"(?s)kubectl 1\.27 or newer.*make test KUBECTL="):
        kubectl.program()


def test_none_where_none_may_be_installed_is_told(monkeypatch):
    monkeypatch.delenv("KUBECTL", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(debian, "can_install", lambda: False)
    with pytest.raises(RuntimeError, match="found none"):
        kubectl.program()
