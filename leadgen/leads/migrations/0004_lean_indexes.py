import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

CONTRACTS = 'An index less changes no answer, and another index serves the same look-ups.'
INDEXES = {
    'campaign_id': 'leads_lead_campaign_id_5dd7a82a',
    'owner_id': 'leads_lead_owner_id_1f4568d0',
    'stage_id': 'leads_lead_stage_id_75332acb',
    'team_id': 'leads_lead_team_id_93d3ec8e',
}


class Migration(migrations.Migration):
    """Drop indexes whose column begins another one.

    Django's own way would check every foreign key again, and hold writers up for as long.
    """

    dependencies = [
        ('accounts', '0001_initial'),
        ('leads', '0003_working_lists'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f'DROP INDEX IF EXISTS {name}', f'CREATE INDEX {name} ON leads_lead ({column})'
                )
                for column, name in INDEXES.items()
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='lead',
                    name='campaign',
                    field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='leads', to='leads.campaign'),
                ),
                migrations.AlterField(
                    model_name='lead',
                    name='owner',
                    field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AlterField(
                    model_name='lead',
                    name='stage',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='leads.stage'),
                ),
                migrations.AlterField(
                    model_name='lead',
                    name='team',
                    field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='leads', to='accounts.team'),
                ),
            ],
        ),
    ]
