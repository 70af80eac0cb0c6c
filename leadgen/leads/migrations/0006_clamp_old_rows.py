from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

CONTRACTS = 'The release before reads the nearest date within the bounds like any other.'

# A day within the bounds, so that it is a day from 1970 to 2100 in every time zone.
CLAMP_TASKS = """
    UPDATE leads_task
    SET due_at = LEAST(GREATEST(due_at, '1970-01-02 12:00+00'), '2100-12-30 12:00+00')
    WHERE due_at NOT BETWEEN '1969-12-31 00:00+00' AND '2101-01-01 23:59:59.999999+00'
"""
CLAMP_DAYS = """
    UPDATE leads_campaign SET {0} = LEAST(GREATEST({0}, '1970-01-01'), '2100-12-31')
    WHERE {0} NOT BETWEEN '1970-01-01' AND '2100-12-31'
"""
DROP_BUDGETS = """
    UPDATE leads_campaign SET budget = NULL
    WHERE budget < 0 OR budget > 9999999999.99
"""


class Migration(migrations.Migration):
    """Clamp the dates and drop the amounts out of bounds, then check all rows.

    Each statement is a transaction of its own: validating lets writers go on.
    """

    atomic = False
    dependencies = [
        ('leads', '0005_bounds'),
    ]

    operations = [
        migrations.RunSQL(CLAMP_TASKS, migrations.RunSQL.noop),
        migrations.RunSQL(CLAMP_DAYS.format('starts_on'), migrations.RunSQL.noop),
        migrations.RunSQL(CLAMP_DAYS.format('ends_on'), migrations.RunSQL.noop),
        migrations.RunSQL(DROP_BUDGETS, migrations.RunSQL.noop),
        ValidateConstraint(model_name='task', name='task_due_in_range'),
        ValidateConstraint(model_name='campaign', name='campaign_starts_in_range'),
        ValidateConstraint(model_name='campaign', name='campaign_ends_in_range'),
        ValidateConstraint(model_name='campaign', name='campaign_budget_in_range'),
    ]
