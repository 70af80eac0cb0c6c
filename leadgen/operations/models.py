"""What has been measured about this deployment."""

from datetime import timedelta

from django.db import models

from leadgen.operations import reconcile

_KEPT = timedelta(days=7)


class BalanceManager(models.Manager["Balance"]):
    def newest(self) -> "Balance | None":
        return self.order_by("-at").first()

    def record(self, sheet: reconcile.Balance, seconds: float) -> "Balance":
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
