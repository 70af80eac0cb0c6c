import pytest

from dev import environment


def test_environment_is_shared_only_while_make_run_runs(tmp_path):
    env = {"DATABASE_URL": "postgresql://leadgen:secret@127.0.0.1:1/leadgen", "HOME": "/nowhere"}
    with environment.shared(env, tmp_path):
        assert environment.running(tmp_path) == {"DATABASE_URL": env["DATABASE_URL"]}
        assert (tmp_path / "run.json").stat().st_mode & 0o077 == 0
    assert environment.running(tmp_path) == {}


def test_failed_make_run_removes_its_files(tmp_path):
    with pytest.raises(RuntimeError), environment.shared({}, tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
