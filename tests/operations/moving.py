"""A deployment with something in it, and what is needed to empty it."""

import secrets
from io import StringIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from leadgen.capture.spool import store
from leadgen.events.services import emit
from leadgen.leads.models import LeadSubmission
from leadgen.lib.postgresql.connections import connection_parameters
from leadgen.operations.transfer import archive, tables
from tests.capture.rows import make_row
from tests.factories import make_form, make_lead, make_submission, make_user

SECRET, PUBLIC = archive.make_key()


def furnish(objects=3):
    """A lead with its submission, one that waits in the spool, uploads, and a name in no ASCII."""
    form = make_form()
    lead = make_lead(make_user(name="Zoë \\ tab\there"))
    submission = make_submission(form, state="processed")
    LeadSubmission.objects.create(lead=lead, submission=submission, reason="new")
    emit("lead.created", lead)
    store.store(make_row(form))
    for number in range(objects):
        default_storage.save(f"uploads/ä {number}.bin", ContentFile(secrets.token_bytes(1000)))
    return form


# What a backup writes about itself, and what a restore fits to its server.
_CHANGED = {"operations_backup", "events_event"}


def contents(parameters=None):
    """What every table holds that backup and restore leave as it was."""
    with tables.connect(parameters or connection_parameters()) as link:
        found = tables.tables(link)
        return {t.name: tables.content(link, t) for t in found if t.name not in _CHANGED}


def run(command, *arguments):
    printed = StringIO()
    call_command(command, *arguments, stdout=printed)
    return printed.getvalue()
