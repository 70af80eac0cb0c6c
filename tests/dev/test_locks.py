import shutil

from dev import locks


def test_the_locks_fit_their_inputs():
    assert locks.stale() == []


def test_a_changed_input_makes_its_locks_stale(tmp_path):
    shutil.copytree(locks.FOLDER, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "dev.in").open("a") as file:
        file.write("one-more\n")
    assert locks.stale(tmp_path) == ["dev.txt"]
    with (tmp_path / "runtime.in").open("a") as file:
        file.write("one-more\n")
    assert locks.stale(tmp_path) == ["runtime.txt", "dev.txt"]


def test_locks_pin_every_package_by_hash_and_name_no_host():
    for name in locks.SOURCES:
        text = (locks.FOLDER / f"{name}.txt").read_text()
        pins = [line for line in text.splitlines() if "==" in line]
        assert pins
        assert all(line.endswith("\\") for line in pins)
        assert "://" not in text


def test_the_npm_lock_names_no_host():
    assert "://" not in (locks.FOLDER.parent / "tests" / "package-lock.json").read_text()
