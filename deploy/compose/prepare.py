"""Make the secrets of a Compose deployment, each in the volume of the service that reads it.

Runs before everything else, at every start; a secret that is there stays as it is. The volumes are
the lock: what mounts one may read it. Standard library only.
"""

import json
import os
import secrets
from pathlib import Path

SECRETS = Path("/secrets")
STORAGE = Path("/volumes/seaweedfs")
STORAGE_USER = 10001


def main() -> None:
    """Make every secret that is missing and write what follows from them."""
    keep("leadgen/secret_key", secrets.token_urlsafe(48))
    keep("watch/grafana_password", secrets.token_urlsafe(16))
    token = keep("watch/metrics_token", secrets.token_urlsafe(24))
    write("leadgen/metrics_token", token)
    password = keep("postgres/password", secrets.token_urlsafe(24))
    write("leadgen/database_url", f"postgresql://leadgen:{password}@postgres:5432/leadgen")
    broker(keep("rabbitmq/password", secrets.token_urlsafe(24)))
    storage(keep("seaweedfs/secret", secrets.token_urlsafe(30)))


def broker(password: str) -> None:
    """Give RabbitMQ its configuration and Leadgen the way in."""
    lines = (
        "default_user = leadgen",
        f"default_pass = {password}",
        "loopback_users = none",
        "log.console = true",
        "log.console.level = warning",
        "log.file = false",
    )
    write("rabbitmq/leadgen.conf", "\n".join(lines) + "\n")
    write("leadgen/broker_url", f"amqp://leadgen:{password}@rabbitmq:5672//")


def storage(secret: str) -> None:
    """Give SeaweedFS its only identity and Leadgen its keys; hand the volume to its user."""
    identity = {
        "name": "leadgen",
        "credentials": [{"accessKey": "leadgen", "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    write("seaweedfs/s3.json", json.dumps({"identities": [identity]}))
    keys = f"aws_access_key_id = leadgen\naws_secret_access_key = {secret}\n"
    write("leadgen/aws_credentials", f"[default]\n{keys}")
    os.chown(STORAGE, STORAGE_USER, 0)


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
