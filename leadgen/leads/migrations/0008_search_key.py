import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Greatest

from leadgen.lib.search.key import SearchKey

CONTRACTS = 'A covering index begins with the columns of each dropped one and serves the same reads.'

# Other emails and phones of a person join the search text, so that a search finds them. Chunks of
# ids: each statement locks few rows, and no statement reads more than its share of the table.
CHUNK = 20_000
ADD_IDENTITIES = """
    UPDATE leads_contact c SET search = concat_ws(' ', NULLIF(c.search, ''), missing.joined)
    FROM (
        SELECT i.contact_id, string_agg(i.value, ' ' ORDER BY i.id) AS joined
        FROM leads_identity i JOIN leads_contact k ON k.id = i.contact_id
        WHERE i.contact_id > %s AND i.contact_id <= %s
          AND position(i.value IN lower(k.search)) = 0
        GROUP BY i.contact_id
    ) missing
    WHERE c.id = missing.contact_id
"""
NEXT = "SELECT max(id) FROM (SELECT id FROM leads_contact WHERE id > %s ORDER BY id LIMIT %s) chunk"


def add_identities(apps, schema_editor):
    last = 0
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(NEXT, [last, CHUNK])
            (end,) = cursor.fetchone()
            if end is None:
                return
            cursor.execute(ADD_IDENTITIES, [last, end])
            last = end


OPEN = models.Q(('closed_at', None))
WAITING = models.Q(
    ('closed_at', None),
    models.Q(('first_response_at', None), ('new_message_at__isnull', False), _connector='OR'),
)


class Migration(migrations.Migration):
    """Index search keys, widen the indexes of lists, add other identities to the search texts.

    The indexes are built while writers go on. `manage.py index_contacts` repeats the second part for
    rows that the release before has written meanwhile.
    """

    atomic = False
    dependencies = [
        ('leads', '0007_waiting_leads'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='contact',
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(SearchKey('search'), name='gin_trgm_ops'),
                name='contact_search_key',
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['stage', '-created_at', '-id'],
                include=['owner', 'team'],
                name='lead_open_by_stage',
                condition=models.Q(('closed_at', None)),
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['-closed_at'],
                include=['stage', 'owner', 'team'],
                name='lead_closed',
                condition=models.Q(('closed_at__isnull', False)),
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(fields=['status', '-created_at', '-id'], name='lead_by_status'),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['campaign', '-created_at', '-id'],
                include=['stage', 'closed_at', 'owner', 'team'],
                name='lead_by_campaign_covering',
            ),
        ),
        AddIndexConcurrently(
            model_name='task',
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(SearchKey('title'), name='gin_trgm_ops'),
                name='task_search_key',
            ),
        ),
        AddIndexConcurrently(
            model_name='company',
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(SearchKey('name'), name='gin_trgm_ops'),
                name='company_search_key',
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['-created_at', '-id'],
                include=[
                    'owner', 'team', 'stage', 'source', 'campaign', 'form',
                    'first_response_at', 'closed_at', 'contact',
                ],
                name='lead_newest_list',
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['-created_at', '-id'],
                include=[
                    'owner', 'team', 'stage', 'source', 'campaign',
                    'first_response_at', 'contact',
                ],
                name='lead_open_list',
                condition=OPEN,
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                models.OrderBy(Greatest('created_at', 'new_message_at'), descending=True),
                models.OrderBy(models.F('id'), descending=True),
                include=[
                    'created_at', 'new_message_at', 'contact',
                    'owner', 'team', 'stage', 'source', 'campaign',
                ],
                name='lead_waiting_covering',
                condition=WAITING,
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['owner', '-created_at', '-id'],
                include=['team', 'first_response_at', 'new_message_at'],
                name='lead_open_by_owner_covering',
                condition=OPEN,
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['owner', '-created_at', '-id'],
                include=['contact', 'team', 'stage', 'closed_at'],
                name='lead_by_owner_covering',
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['team', '-created_at', '-id'],
                include=['contact', 'owner'],
                name='lead_by_team_covering',
            ),
        ),
        AddIndexConcurrently(
            model_name='task',
            index=models.Index(
                fields=['due_at', 'id'],
                include=['lead', 'owner'],
                name='task_open_covering',
                condition=models.Q(('done_at', None)),
            ),
        ),
        AddIndexConcurrently(
            model_name='task',
            index=models.Index(
                fields=['-done_at', '-id'],
                include=['lead'],
                name='task_done_covering',
                condition=models.Q(('done_at__isnull', False)),
            ),
        ),
        RemoveIndexConcurrently(model_name='lead', name='lead_unanswered'),
        RemoveIndexConcurrently(model_name='lead', name='lead_newest'),
        RemoveIndexConcurrently(model_name='lead', name='lead_open'),
        RemoveIndexConcurrently(model_name='lead', name='lead_by_campaign'),
        RemoveIndexConcurrently(model_name='lead', name='lead_by_owner'),
        RemoveIndexConcurrently(model_name='lead', name='lead_by_team'),
        migrations.RunPython(add_identities, migrations.RunPython.noop),
    ]
