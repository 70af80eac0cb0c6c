from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

CONTRACTS = 'The release before reads NULL as a time that the client did not tell.'


class Migration(migrations.Migration):
    """Check the rows that are there; writers go on meanwhile, as validating locks no row."""

    atomic = False
    dependencies = [
        ('capture', '0003_submitted_in_range'),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE capture_submission SET submitted_at = NULL WHERE submitted_at"
            " NOT BETWEEN '1969-12-31 00:00+00' AND '2101-01-01 23:59:59.999999+00'",
            migrations.RunSQL.noop,
        ),
        ValidateConstraint(model_name='submission', name='submission_submitted_in_range'),
    ]
