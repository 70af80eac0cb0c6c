import pytest

from dev import environment


def test_what_make_run_has_started_is_found_while_it_is_up_and_not_after(tmp_path):
    env = {"DATABASE_URL": "postgresql://leadgen:secret@127.0.0.1:1/leadgen", "HOME": "/nowhere"}
    with environment.shared(env, tmp_path):
        assert environment.running(tmp_path) == {"DATABASE_URL": env["DATABASE_URL"]}
        assert (tmp_path / "run.json").stat().st_mode & 0o077 == 0
    assert environment.running(tmp_path) == {}


def test_nothing_is_left_behind_when_make_run_fails(tmp_path):
    with pytest.raises(RuntimeError), environment.shared({}, tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
