from django.db import migrations


class Migration(migrations.Migration):
    """What a release may add while the one before it runs: see the runbook of upgrades."""

    operations = [
        migrations.RunSQL(
            "ALTER TABLE capture_submission ADD COLUMN next_note text",
            "ALTER TABLE capture_submission DROP COLUMN next_note",
        ),
        migrations.RunSQL(
            "ALTER TABLE capture_submission ADD COLUMN next_rank integer DEFAULT 1 NOT NULL",
            "ALTER TABLE capture_submission DROP COLUMN next_rank",
        ),
        migrations.RunSQL(
            "CREATE TABLE next_thing (submission_id uuid REFERENCES capture_submission)",
            "DROP TABLE next_thing",
        ),
    ]
