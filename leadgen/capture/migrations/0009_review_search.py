from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently, TrigramExtension
from django.db import migrations, models

from leadgen.capture.models import answers_as_text
from leadgen.lib.search.key import SearchKey


class Migration(migrations.Migration):
    """Index the answers of submissions in review; built while writers go on."""

    atomic = False
    dependencies = [
        ('capture', '0008_reason_expired_page'),
    ]

    operations = [
        TrigramExtension(),
        AddIndexConcurrently(
            model_name='submission',
            index=GinIndex(
                OpClass(SearchKey(answers_as_text()), name='gin_trgm_ops'),
                name='submission_review_search',
                condition=models.Q(('state', 'quarantined')),
            ),
        ),
    ]
