"""The Celery application and the whole timetable on one screen."""

import os
from urllib.parse import urlsplit

from celery import Celery
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadgen.settings")  # noqa: TID251

from django.conf import settings

from leadgen.lib import backends
from leadgen.processes import worker_fallback, worker_heartbeat, worker_metrics, worker_shutdown

app = Celery("leadgen")
_IS_RABBITMQ = urlsplit(settings.BROKER_URL).scheme.startswith("amqp")

# Hints only, so none is worth keeping for long: one that ends its worker each time is dropped,
# and with no worker about the oldest make room.
_QUORUM = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 5,
    "x-max-length": 10_000,
    "x-overflow": "drop-head",
}

app.conf.update(
    backends.broker(settings.BROKER_URL),
    task_default_queue="leadgen",
    task_queues=[Queue("leadgen", queue_arguments=_QUORUM if _IS_RABBITMQ else None)],
    task_ignore_result=True,
    # A task is a hint to look at the ledger: run again after a crash, harmless when run twice.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=900,
    task_soft_time_limit=840,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=1000,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=_IS_RABBITMQ,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # the usual 100 end a worker after an outage of an hour
    broker_heartbeat=10,
    timezone="UTC",
    beat_schedule={
        "sweep the ledger": {
            "task": settings.INTAKE_TASK,
            "schedule": 3.0,
            "options": {"expires": 9.0},
        },
        "replay the spool": {
            "task": "leadgen.capture.tasks.replay",
            "schedule": 10.0,
            "options": {"expires": 20.0},
        },
        "judge submissions to newer forms": {
            "task": "leadgen.capture.tasks.judge_newer_forms",
            "schedule": 30.0,
            "options": {"expires": 60.0},
        },
        "hand events to their consumers": {
            "task": "leadgen.events.tasks.consume",
            "schedule": 2.0,
            "options": {"expires": 6.0},
        },
        "measure the balance": {
            "task": "leadgen.operations.tasks.measure",
            "schedule": 60.0,
            "options": {"expires": 60.0},
        },
    },
)
worker_heartbeat.install(app)
worker_metrics.install()
worker_fallback.install(app)
worker_shutdown.install()
app.set_default()  # the current application is bound to a thread; every other falls back to this
app.autodiscover_tasks(["leadgen.events", "leadgen.capture", "leadgen.leads", "leadgen.operations"])
