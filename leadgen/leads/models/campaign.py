"""Campaign model."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from leadgen.lib.dates import check_day, days_in_range

# 12 digits, two of them decimals.
_LARGEST_BUDGET = Decimal("9999999999.99")


class Campaign(models.Model):
    """A marketing campaign; a lead belongs to the campaign with the lead's utm_campaign value."""

    name = models.CharField(max_length=120, unique=True)
    utm_campaign = models.CharField(
        _("UTM campaign"),
        max_length=200,
        help_text=_("The value of utm_campaign in this campaign's links; case does not matter."),
    )
    starts_on = models.DateField(null=True, blank=True, validators=[check_day])
    ends_on = models.DateField(null=True, blank=True, validators=[check_day])
    budget = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0, "Enter an amount of 0 or more.")],
    )
    currency = models.CharField(max_length=3, default="EUR")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("utm_campaign"),
                name="utm_campaign_once",
                violation_error_message=_("Another campaign has this UTM value."),
            ),
            models.CheckConstraint(
                condition=days_in_range("starts_on"), name="campaign_starts_in_range"
            ),
            models.CheckConstraint(
                condition=days_in_range("ends_on"), name="campaign_ends_in_range"
            ),
            # PostgreSQL stores NaN in any numeric column, as larger than every number.
            models.CheckConstraint(
                condition=models.Q(budget__gte=0, budget__lte=_LARGEST_BUDGET),
                name="campaign_budget_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name
