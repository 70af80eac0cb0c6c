"""Make the secrets of a Compose deployment, each in the volume of the service that reads it.

Runs at every start; a secret that is there stays as it is. A service reads the volumes that it
mounts and no others. PostgreSQL, RabbitMQ and SeaweedFS wait for their files instead of depending
on this service, because Compose stops what depends on a service that it recreates. The file that
each of them waits for is written last. Standard library only.
"""

import json
import os
import secrets
from pathlib import Path

SECRETS = Path("/secrets")
STORAGE = Path("/volumes/seaweedfs")
BACKUPS = Path("/volumes/backups")
# More profiles for the AWS credentials file, such as the one of a bucket for backups.
CREDENTIALS = Path("/credentials")
# SeaweedFS and Leadgen run as this user.
USER = 10001


def main() -> None:
    """Make every secret that is missing and write what follows from them."""
    keep("leadgen/secret_key", secrets.token_urlsafe(48))
    keep("watch/grafana_password", secrets.token_urlsafe(16))
    token = keep("watch/metrics_token", secrets.token_urlsafe(24))
    write("leadgen/metrics_token", token)
    broker(keep("rabbitmq/password", secrets.token_urlsafe(24)))
    storage(keep("seaweedfs/secret", secrets.token_urlsafe(30)))
    database(keep("postgres/password", secrets.token_urlsafe(24)))


def database(password: str) -> None:
    """Write Leadgen's way in, and the superuser's password that no service of Leadgen reads."""
    write("leadgen/database_url", f"postgresql://leadgen:{password}@postgres:5432/leadgen")
    keep("postgres/superuser_password", secrets.token_urlsafe(24))


def broker(password: str) -> None:
    """Write RabbitMQ's configuration and Leadgen's way in."""
    lines = (
        "default_user = leadgen",
        f"default_pass = {password}",
        "loopback_users = none",
        "log.console = true",
        "log.console.level = warning",
        "log.file = false",
    )
    write("leadgen/broker_url", f"amqp://leadgen:{password}@rabbitmq:5672//")
    write("rabbitmq/leadgen.conf", "\n".join(lines) + "\n")


def storage(secret: str) -> None:
    """Write SeaweedFS's only identity and Leadgen's keys; hand the folders to their users."""
    identity = {
        "name": "leadgen",
        "credentials": [{"accessKey": "leadgen", "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    keys = f"aws_access_key_id = leadgen\naws_secret_access_key = {secret}\n"
    write("leadgen/aws_credentials", f"[default]\n{keys}{CREDENTIALS.read_text('utf-8')}")
    for folder in (STORAGE, BACKUPS):
        os.chown(folder, USER, 0)
    write("seaweedfs/s3.json", json.dumps({"identities": [identity]}))


def keep(name: str, new: str) -> str:
    """Return the secret of this name; the new one where there was none."""
    path = SECRETS / name
    if not path.exists():
        print(f"a new secret: {name}")
        write(name, new)
    return path.read_text(encoding="utf-8")


def write(name: str, text: str) -> None:
    """Put the text under this name, whole or not at all."""
    path = SECRETS / name
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.chmod(0o444)
    unfinished.rename(path)


if __name__ == "__main__":
    main()
