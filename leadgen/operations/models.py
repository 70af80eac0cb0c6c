"""Recorded balances and backups of this deployment, and the shared cache table."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from leadgen.lib.backends import CACHE_TABLE
from leadgen.operations import reconcile
from leadgen.operations.transfer.manifest import Manifest

_MAX_AGE = timedelta(days=7)


class BalanceManager(models.Manager["Balance"]):
    def newest(self) -> "Balance | None":
        return self.order_by("-at").first()

    def record(self, sheet: reconcile.BalanceSheet, seconds: float) -> "Balance":
        """Record a balance, and delete those older than a week."""
        self.filter(at__lt=sheet.at - _MAX_AGE).delete()
        return self.create(
            at=sheet.at,
            counts=sheet.places,
            unaccounted=sheet.unaccounted,
            receipts=[[fault.receipt, fault.problem] for fault in sheet.faults[:10]],
            seconds=seconds,
        )


class Balance(models.Model):
    """Balance sheet of submissions, measured by a scheduled task, for pages and metrics.

    ``counts`` holds one number for each of reconcile.PLACES, ``receipts`` pairs of receipt and
    problem for the first ten unaccounted ones, ``seconds`` the duration of the pass.
    """

    at = models.DateTimeField(db_index=True)
    counts = models.JSONField()
    unaccounted = models.BigIntegerField()
    receipts = models.JSONField(default=list)
    seconds = models.FloatField()

    objects = BalanceManager()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.unaccounted} unaccounted"


class BackupManager(models.Manager["Backup"]):
    def newest(self) -> "Backup | None":
        return self.order_by("-at").first()

    def record(self, name: str, manifest: Manifest, seconds: float) -> "Backup":
        """Record a finished backup; ``seconds`` is its duration."""
        return self.create(
            name=name,
            at=manifest.at,
            rows=manifest.rows,
            objects_count=manifest.objects,
            size=manifest.size,
            seconds=seconds,
        )

    def checked(self, name: str) -> None:
        """Record that a trial restore of this backup has succeeded just now."""
        self.filter(name=name).update(checked_at=timezone.now())


class Backup(models.Model):
    """Finished backup and the time of its last trial restore; ``size`` is in bytes.

    ``at`` is the time of the snapshot, so its age is the time that a restore would lose.
    """

    name = models.CharField(max_length=60, unique=True)
    at = models.DateTimeField(db_index=True)
    rows = models.BigIntegerField()
    objects_count = models.BigIntegerField()
    size = models.BigIntegerField()
    seconds = models.FloatField()
    checked_at = models.DateTimeField(null=True, blank=True)

    objects = BackupManager()

    def __str__(self) -> str:
        return self.name


class CacheEntry(models.Model):
    """Cache table shared by all processes, with the columns that Django's database cache expects.

    Rows hold current limits only, so backup and move leave the table out.
    """

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = CACHE_TABLE
