from django.db import migrations


class Migration(migrations.Migration):
    """Turns of the round robin: a sequence never makes two batches wait for each other."""

    dependencies = [('leads', '0001_initial')]

    operations = [
        migrations.RunSQL(
            'CREATE SEQUENCE leads_turn MINVALUE 0', 'DROP SEQUENCE leads_turn'
        ),
    ]
