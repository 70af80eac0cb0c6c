"""What has been measured about this deployment."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from leadgen.lib.backends import CACHE_TABLE
from leadgen.operations import reconcile
from leadgen.operations.transfer.manifest import Manifest

_KEPT = timedelta(days=7)


class BalanceManager(models.Manager["Balance"]):
    def newest(self) -> "Balance | None":
        return self.order_by("-at").first()

    def record(self, sheet: reconcile.BalanceSheet, seconds: float) -> "Balance":
        """Keep a measured balance, and let those of more than a week ago go."""
        self.filter(at__lt=sheet.at - _KEPT).delete()
        return self.create(
            at=sheet.at,
            counts=sheet.places,
            unaccounted=sheet.unaccounted,
            receipts=[[fault.receipt, fault.problem] for fault in sheet.faults[:10]],
            seconds=seconds,
        )


class Balance(models.Model):
    """The balance sheet of submissions as beat measures it, for pages that cannot wait for it.

    ``counts`` holds one number for each of reconcile.PLACES, ``receipts`` pairs of receipt and
    problem for the first few unaccounted ones, ``seconds`` what measuring took.
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

    def record(self, name: str, made: Manifest, seconds: float) -> "Backup":
        """Remember a finished backup."""
        return self.create(
            name=name,
            at=made.at,
            rows=made.rows,
            objects_count=made.objects,
            size=made.size,
            seconds=seconds,
        )

    def checked(self, name: str) -> None:
        """Remember that this backup has been restored for a try."""
        self.filter(name=name).update(checked_at=timezone.now())


class Backup(models.Model):
    """A finished backup, and when a restore of it was last tried; ``size`` is in bytes.

    ``at`` is the moment that it holds, not when it was done, so its age is what could be lost.
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
    """The table of the cache that all processes share, in the columns that Django's cache expects.

    Rows hold limits in force, nothing of a deployment's own: backup and move leave the table out.
    """

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = CACHE_TABLE
