import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

from leadgen.lib.search.key import SearchKey

CONTRACTS = 'lead_newest: the covering index begins with the same columns and serves the same reads.'

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


class Migration(migrations.Migration):
    """Index the search key; add other identities to the search texts.

    The index is built while writers go on. `manage.py index_contacts` repeats the second part for
    rows that the release before has written meanwhile.
    """

    atomic = False
    dependencies = [
        ('leads', '0006_clamp_old_rows'),
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
                fields=['-created_at', '-id'],
                include=[
                    'owner', 'team', 'stage', 'source', 'campaign', 'form',
                    'first_response_at', 'closed_at',
                ],
                name='lead_newest_covering',
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['stage'],
                include=['owner', 'team'],
                name='lead_open_by_stage',
                condition=models.Q(('closed_at', None)),
            ),
        ),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['owner'],
                include=['team', 'first_response_at'],
                name='lead_open_by_owner',
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
        RemoveIndexConcurrently(model_name='lead', name='lead_newest'),
        migrations.RunPython(add_identities, migrations.RunPython.noop),
    ]
