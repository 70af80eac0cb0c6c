import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.mail import send_mail
from django.utils.module_loading import import_string

from leadgen.lib import backends


def test_a_file_url_is_a_folder(tmp_path):
    made = backends.storage(f"file://{tmp_path}/with%20space")
    storage = import_string(made["BACKEND"])(**made["OPTIONS"])
    storage.save("a.txt", ContentFile(b"kept"))
    assert (tmp_path / "with space" / "a.txt").read_bytes() == b"kept"


def test_a_bucket_of_aws_needs_a_name_only():
    options = backends.storage("s3://leads?region=eu-central-1")["OPTIONS"]
    assert (options["bucket_name"], options["region_name"]) == ("leads", "eu-central-1")
    assert (options["endpoint_url"], options["addressing_style"]) == (None, "auto")


def test_s3_compatible_storage_is_addressed_by_path():
    url = "s3://leads/prefix?endpoint_url=http://127.0.0.1:8333"
    options = backends.storage(url)["OPTIONS"]
    assert (options["addressing_style"], options["location"]) == ("path", "prefix")


@pytest.fixture
def bucket(monkeypatch):
    """A server that takes every object: its URL, and the headers of each request."""
    requests = []

    class Take(BaseHTTPRequestHandler):
        def do_PUT(self):
            requests.append(self.headers)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def do_HEAD(self):
            self.send_error(404)

        def log_message(self, *args):
            pass

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    with ThreadingHTTPServer(("127.0.0.1", 0), Take) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}", requests
        server.shutdown()


def sent(requests):
    (headers,) = requests
    return {name.lower() for name in headers if "checksum" in name.lower()}


def test_object_sent_to_s3_has_a_checksum(bucket, monkeypatch):
    url, requests = bucket
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    storage = storages.create_storage(backends.storage("s3://leads?endpoint_url=&region=eu-west-1"))
    storage.save("a.txt", ContentFile(b"kept"))
    assert "x-amz-checksum-crc32" in sent(requests)


def test_object_sent_to_other_storage_has_no_checksum(bucket):
    url, requests = bucket
    made = backends.storage(f"s3://leads?endpoint_url={url}&region=eu-west-1")
    storages.create_storage(made).save("a.txt", ContentFile(b"kept"))
    assert sent(requests) == set()


@pytest.mark.parametrize("url", ["", "/var/storage", "s3://", "gs://bucket", "ftp://host/x"])
def test_any_other_storage_is_refused_by_name(url):
    with pytest.raises(ImproperlyConfigured, match="STORAGE_URL must be"):
        backends.storage(url)


def test_smtp_starts_tls_and_smtps_is_tls_from_the_start():
    plain = backends.email("smtp://ada%40example.com:p%3Ass@mail.example.com")
    assert (plain["EMAIL_PORT"], plain["EMAIL_USE_TLS"], plain["EMAIL_USE_SSL"]) == (
        587,
        True,
        False,
    )
    assert (plain["EMAIL_HOST_USER"], plain["EMAIL_HOST_PASSWORD"]) == ("ada@example.com", "p:ss")
    safe = backends.email("smtps://mail.example.com")
    assert (safe["EMAIL_PORT"], safe["EMAIL_USE_TLS"], safe["EMAIL_USE_SSL"]) == (465, False, True)


def test_tls_is_disabled_only_on_request():
    assert not backends.email("smtp://127.0.0.1:1025?tls=0")["EMAIL_USE_TLS"]


def test_the_console_sends_no_mail():
    assert backends.email("console://")["EMAIL_BACKEND"] == "leadgen.lib.log_mail.EmailBackend"


def test_the_console_prints_mail_in_development():
    found = backends.email("console://", prints=True)["EMAIL_BACKEND"]
    assert found.endswith("console.EmailBackend")


def test_a_server_without_mail_logs_no_name_and_no_address(settings, caplog, capsys):
    settings.EMAIL_BACKEND = backends.email("console://")["EMAIL_BACKEND"]
    assert send_mail("Ada Example", "wrote: hello", None, ["ada@example.com"]) == 1
    assert caplog.messages == [
        "mail not sent to 1 recipients: EMAIL_URL is console://, set smtp://…"
    ]
    assert capsys.readouterr().out == ""


def test_any_other_mail_is_refused_by_name():
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL must start with"):
        backends.email("pop3://mail.example.com")


def test_a_folder_can_be_the_broker():
    options = backends.broker("filesystem:///var/lib/broker")["broker_transport_options"]
    folders = {options[f"data_folder_{way}"] for way in ("in", "out")}
    assert folders == {options["control_folder"]} == {"/var/lib/broker"}


def test_rabbitmq_publishing_uses_confirms():
    made = backends.broker("amqps://user:secret@mq.example.com/leads")
    assert made["broker_url"].startswith("amqps://")
    assert made["broker_transport_options"]["confirm_publish"]


def test_any_other_broker_is_refused_by_name():
    with pytest.raises(ImproperlyConfigured, match="BROKER_URL must be"):
        backends.broker("redis://127.0.0.1")


def test_cache_is_a_table_or_redis(monkeypatch):
    monkeypatch.setattr(backends, "find_spec", lambda name: True)
    assert backends.cache("database://")["LOCATION"] == backends.CACHE_TABLE
    made = backends.cache("rediss://:word@cache.example.com:6379/1")
    assert made["LOCATION"] == "rediss://:word@cache.example.com:6379/1"
    assert made["OPTIONS"] == {"socket_connect_timeout": 2, "socket_timeout": 2}


@pytest.mark.parametrize("url", ["memory://", "locmem://", "file:///tmp/cache", "leads"])
def test_cache_of_one_process_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="CACHE_URL must be"):
        backends.cache(url)


def test_redis_is_refused_without_its_package(monkeypatch):
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match="needs the Python package redis") as refusal:
        backends.cache("redis://:a-secret@cache.example.com")
    assert "a-secret" not in str(refusal.value)
