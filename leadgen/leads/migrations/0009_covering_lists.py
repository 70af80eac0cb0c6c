from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Greatest

CONTRACTS = 'A covering index begins with the columns of each dropped one and serves the same reads.'

OPEN = models.Q(('closed_at', None))
WAITING = models.Q(
    ('closed_at', None),
    models.Q(('first_response_at', None), ('new_message_at__isnull', False), _connector='OR'),
)


class Migration(migrations.Migration):
    """Widen indexes of leads and tasks, so that lists read no rows beside their page.

    Built while writers go on; each new index replaces one, so that their number stays.
    """

    atomic = False
    dependencies = [
        ('leads', '0008_search_key'),
    ]

    operations = [
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
        RemoveIndexConcurrently(model_name='lead', name='lead_newest_covering'),
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
        RemoveIndexConcurrently(model_name='lead', name='lead_open_covering'),
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
        RemoveIndexConcurrently(model_name='lead', name='lead_waiting'),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['owner', '-created_at', '-id'],
                include=['team', 'first_response_at', 'new_message_at'],
                name='lead_open_by_owner_covering',
                condition=OPEN,
            ),
        ),
        RemoveIndexConcurrently(model_name='lead', name='lead_open_by_owner'),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['owner', '-created_at', '-id'],
                include=['contact', 'team', 'stage', 'closed_at'],
                name='lead_by_owner_covering',
            ),
        ),
        RemoveIndexConcurrently(model_name='lead', name='lead_by_owner'),
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(
                fields=['team', '-created_at', '-id'],
                include=['contact', 'owner'],
                name='lead_by_team_covering',
            ),
        ),
        RemoveIndexConcurrently(model_name='lead', name='lead_by_team'),
        AddIndexConcurrently(
            model_name='task',
            index=models.Index(
                fields=['due_at', 'id'],
                include=['lead', 'owner'],
                name='task_open_covering',
                condition=models.Q(('done_at', None)),
            ),
        ),
        RemoveIndexConcurrently(model_name='task', name='task_open'),
        AddIndexConcurrently(
            model_name='task',
            index=models.Index(
                fields=['-done_at', '-id'],
                include=['lead'],
                name='task_done_covering',
                condition=models.Q(('done_at__isnull', False)),
            ),
        ),
        RemoveIndexConcurrently(model_name='task', name='task_done'),
    ]
