from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

CONTRACTS = (
    'The release before counts submissions of a period by form: the new index serves this too.'
)


class Migration(migrations.Migration):
    """Replace the index by form and time with one by time that covers the form.

    Built while writers go on. The number of indexes that a new submission writes stays.
    """

    atomic = False
    dependencies = [
        ('capture', '0009_review_search'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='submission',
            index=models.Index(
                fields=['-received_at', '-id'],
                include=['form'],
                name='submission_by_time',
            ),
        ),
        RemoveIndexConcurrently(model_name='submission', name='submission_by_form'),
    ]
