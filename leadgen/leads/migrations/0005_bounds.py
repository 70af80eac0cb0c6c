from datetime import UTC, date, datetime
from decimal import Decimal

import django.core.validators
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import leadgen.lib.dates

CONTRACTS = (
    'The release before writes such values only where a person enters a date or an amount that'
    ' nobody means, and then breaks the pages that show it: an error for that person is less.'
)


class Migration(migrations.Migration):
    """Bound dates and amounts; rows that are there are set right by the next migration.

    Without a look at them the locks last for a moment only. A longer varchar rewrites nothing.
    """

    dependencies = [
        ('leads', '0004_lean_indexes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='campaign',
            name='budget',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, validators=[django.core.validators.MinValueValidator(0, 'Enter an amount of 0 or more.')]),
        ),
        migrations.AlterField(
            model_name='campaign',
            name='ends_on',
            field=models.DateField(blank=True, null=True, validators=[leadgen.lib.dates.check_day]),
        ),
        migrations.AlterField(
            model_name='campaign',
            name='starts_on',
            field=models.DateField(blank=True, null=True, validators=[leadgen.lib.dates.check_day]),
        ),
        migrations.AlterField(
            model_name='contact',
            name='phone',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AlterField(
            model_name='task',
            name='due_at',
            field=models.DateTimeField(blank=True, null=True, validators=[leadgen.lib.dates.check_moment]),
        ),
        AddConstraintNotValid(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('starts_on__gte', date(1970, 1, 1)), ('starts_on__lte', date(2100, 12, 31))), name='campaign_starts_in_range'),
        ),
        AddConstraintNotValid(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on__gte', date(1970, 1, 1)), ('ends_on__lte', date(2100, 12, 31))), name='campaign_ends_in_range'),
        ),
        AddConstraintNotValid(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('budget__gte', 0), ('budget__lte', Decimal('9999999999.99'))), name='campaign_budget_in_range'),
        ),
        AddConstraintNotValid(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(('due_at__gte', datetime(1969, 12, 31, tzinfo=UTC)), ('due_at__lte', datetime(2101, 1, 1, 23, 59, 59, 999999, tzinfo=UTC))), name='task_due_in_range'),
        ),
    ]
