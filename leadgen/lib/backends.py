"""Backend URLs to Django's configuration dictionaries."""

from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from leadgen.lib import file_broker

# Made by a migration of the operations app.
CACHE_TABLE = "leadgen_cache"
# With Django's default of 300, a flood of new entries would delete limits that are in force.
_CACHE_ENTRIES = 20_000
_CACHE_SECONDS = 2
_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_PRINTING = "django.core.mail.backends.console.EmailBackend"
_EMAIL_BACKENDS = {
    "console": "leadgen.lib.log_mail.EmailBackend",
    "memory": "django.core.mail.backends.locmem.EmailBackend",
    "smtp": _SMTP,
    "smtps": _SMTP,
}
# Leads on a local disk are for the process's own user only.
_PRIVATE = {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}


def storage(url: str, name: str = "STORAGE_URL", *, private: bool = True) -> dict[str, Any]:
    """Turn file:///path or s3://bucket?endpoint_url=…&region=… into a STORAGES entry.

    The URL holds no keys: boto3 finds the workload identity, the usual AWS variables, or
    with &profile=… a profile of the AWS credentials file. Errors name the variable ``name``. Files
    are readable by their user only, unless ``private`` is off.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": unquote(parts.path), **(_PRIVATE if private else {})},
        }
    if parts.scheme == "s3" and parts.hostname:
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _s3(url)}
    raise ImproperlyConfigured(f"{name} must be file:///path or s3://bucket, not {url!r}.")


def _s3(url: str) -> dict[str, Any]:
    from botocore.config import Config  # takes half a second; file:// does not need it

    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    # S3-compatible storages with an endpoint of their own seldom resolve bucket names as hosts.
    compatible = "endpoint_url" in query
    style = query.get("addressing_style", "path" if compatible else "auto")
    return {
        "bucket_name": parts.netloc,
        "location": parts.path.strip("/"),
        "endpoint_url": query.get("endpoint_url"),
        "region_name": query.get("region"),
        "addressing_style": style,
        **_profile(query.get("profile")),
        "file_overwrite": False,
        "client_config": Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"total_max_attempts": 2},
            # S3-compatible storages reject the checksums that boto3 sends since 1.36; S3 requires
            # them where objects are locked, as backups are.
            request_checksum_calculation="when_required" if compatible else "when_supported",
            response_checksum_validation="when_required",
            s3={"addressing_style": style},
        ),
    }


def _profile(name: str | None) -> dict[str, Any]:
    # A profile replaces the usual AWS variables, so that one process can reach two clouds.
    return {"session_profile": name, "access_key": None, "secret_key": None} if name else {}


def email(url: str, *, prints: bool = False) -> dict[str, Any]:
    """Turn console://, memory://, smtp://user:pass@host:587 or smtps://… into Django settings.

    console:// logs a number only; with ``prints`` it prints whole mails, for development.
    """
    parts = urlsplit(url)
    if parts.scheme not in _EMAIL_BACKENDS:
        raise ImproperlyConfigured(
            f"EMAIL_URL must start with console://, smtp:// or smtps://, not {parts.scheme!r}."
        )
    return {
        "EMAIL_BACKEND": _PRINTING
        if prints and parts.scheme == "console"
        else _EMAIL_BACKENDS[parts.scheme],
        "EMAIL_HOST": parts.hostname or "",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and parse_qs(parts.query).get("tls") != ["0"],
        "EMAIL_TIMEOUT": 10,
    }


def broker(url: str) -> dict[str, Any]:
    """Turn filesystem:///path or amqp(s)://… into Celery's broker settings."""
    parts = urlsplit(url)
    if parts.scheme == "filesystem":
        folder = unquote(parts.path)
        folders = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
        # Seconds between two reads of the folder; a shutdown waits for two of them.
        options = {**folders, "polling_interval": 0.2}
        file_broker.register()
        return {"broker_url": "filesystem://localhost", "broker_transport_options": options}
    if parts.scheme in ("amqp", "amqps", "memory"):
        # Without time limits a publisher waits without limit for a frozen broker, even to
        # close the connection (celery/celery#6911).
        limits = {"read_timeout": 5, "write_timeout": 5}
        options = {"confirm_publish": True, **limits}
        return {"broker_url": url, "broker_transport_options": options}
    raise ImproperlyConfigured(
        f"BROKER_URL must be filesystem:///path, amqp:// or amqps://, not {parts.scheme!r}."
    )


def cache(url: str) -> dict[str, Any]:
    """Turn database:// (a table in PostgreSQL) or redis(s)://host:6379/0 into a CACHES entry.

    The cache holds limits that must hold across processes, so no other backend is accepted.
    """
    scheme = urlsplit(url).scheme
    if scheme == "database":
        return {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": CACHE_TABLE,
            "OPTIONS": {"MAX_ENTRIES": _CACHE_ENTRIES},
        }
    if scheme not in ("redis", "rediss"):
        raise ImproperlyConfigured(
            f"CACHE_URL must be database://, redis:// or rediss://, not {scheme!r}."
        )
    if not find_spec("redis"):
        raise ImproperlyConfigured(
            "CACHE_URL=redis://… needs the Python package redis, which is not installed here: add"
            " it to the image, or leave CACHE_URL out to use a table in PostgreSQL."
        )
    limits = {"socket_connect_timeout": _CACHE_SECONDS, "socket_timeout": _CACHE_SECONDS}
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "OPTIONS": limits,
    }
