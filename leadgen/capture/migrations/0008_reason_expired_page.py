import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('capture', '0007_released_at'),
    ]

    operations = [
        migrations.AlterField(
            model_name='submission',
            name='reasons',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('honeypot', 'Caught by hidden field'), ('too_fast', 'Filled in too fast'), ('too_many_links', 'Too many links'), ('flood', 'Too many from one address'), ('disposable_address', 'Disposable email'), ('key_reused', 'Other content under a key that came before'), ('newer_form', 'Sent to a form of a newer release'), ('unfit_answers', 'Answers that the form does not accept'), ('held_by_hand', 'Held by a colleague'), ('unpublished', 'Sent after the form was unpublished'), ('expired_page', 'Sent from a page opened more than a day before'), ('version_unknown', 'Its version of the form could not be read')], max_length=30), default=list, size=None),
        ),
    ]
