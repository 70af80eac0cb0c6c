from dev import environment


def test_file_is_parsed_without_quotes_and_comments(tmp_path):
    path = tmp_path / ".env"
    path.write_text(
        "# note\n\nPORT=8001\nexport DEBUG = true\nEMAIL_FROM='Ada <ada@example.com>'\n"
    )
    assert environment.from_file(path) == {
        "PORT": "8001",
        "DEBUG": "true",
        "EMAIL_FROM": "Ada <ada@example.com>",
    }


def test_value_may_contain_equal_signs(tmp_path):
    path = tmp_path / ".env"
    path.write_text("STORAGE_URL=s3://b?region=x&endpoint_url=http://y\n")
    assert environment.from_file(path) == {"STORAGE_URL": "s3://b?region=x&endpoint_url=http://y"}


def test_a_missing_file_is_no_fault(tmp_path):
    assert environment.from_file(tmp_path / ".env") == {}


def test_environment_overrides_the_defaults():
    env = environment.development({"DEBUG": "false"})
    assert (env["DEBUG"], env["LOG_FORMAT"]) == ("false", "console")


def test_a_secret_in_a_file_counts_as_set():
    assert environment.is_set({"DATABASE_URL_FILE": "/run/secrets/db"}, "DATABASE_URL")
    assert not environment.is_set({"DATABASE_URL": ""}, "DATABASE_URL")
