from datetime import UTC, datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

CONTRACTS = 'The release before leaves out every submitted_at that is a year or more away.'


class Migration(migrations.Migration):
    """Bound a time that a client's clock tells; rows that are there are checked by the next one."""

    dependencies = [
        ('capture', '0002_spooled_receipts'),
    ]

    operations = [
        AddConstraintNotValid(
            model_name='submission',
            constraint=models.CheckConstraint(condition=models.Q(('submitted_at__gte', datetime(1969, 12, 31, tzinfo=UTC)), ('submitted_at__lte', datetime(2101, 1, 1, 23, 59, 59, 999999, tzinfo=UTC))), name='submission_submitted_in_range'),
        ),
    ]
