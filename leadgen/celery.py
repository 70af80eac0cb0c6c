"""Celery application: broker, queues, limits and the schedule of beat."""

import os
from urllib.parse import urlsplit

from celery import Celery
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadgen.settings")  # noqa: TID251

from django.conf import settings

from leadgen.lib import backends
from leadgen.processes import (
    roles,
    schedule,
    worker_fallback,
    worker_heartbeat,
    worker_metrics,
    worker_shutdown,
)

app = Celery("leadgen")
_IS_RABBITMQ = urlsplit(settings.BROKER_URL).scheme.startswith("amqp")

# Messages are hints to look at the database: RabbitMQ drops one after five deliveries that ended
# their worker, and the oldest of a full queue.
_QUORUM = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 5,
    "x-max-length": 10_000,
    "x-overflow": "drop-head",
}


def _queue(name: str) -> Queue:
    # An exchange of its own: Celery would bind all queues to one exchange with one routing key,
    # and each message would arrive in every queue.
    arguments = _QUORUM if _IS_RABBITMQ else None
    return Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments)


app.conf.update(
    backends.broker(settings.BROKER_URL),
    task_default_queue=roles.DEFAULT,
    task_queues=[_queue(name) for name in roles.QUEUES],
    task_routes={task.task: {"queue": task.queue} for task in schedule.TASKS.values()},
    task_ignore_result=True,
    # At-least-once delivery: every task is harmless when it runs twice.
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
    beat_schedule={name: task.entry for name, task in schedule.TASKS.items()},
)
worker_heartbeat.install(app)
worker_metrics.install()
worker_fallback.install(app)
worker_shutdown.install()
app.set_default()  # Celery binds its current application to one thread; others use the default
app.autodiscover_tasks(
    [f"leadgen.{package}" for package in ("events", "accounts", "capture", "leads", "operations")]
)
