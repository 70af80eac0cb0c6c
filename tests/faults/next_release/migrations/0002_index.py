from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("next_release", "0001_expand")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY next_index ON capture_submission (next_rank)",
            "DROP INDEX next_index",
        )
    ]
