from celery import Celery

app = Celery("plain_drf")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["tests.benchmarks.plain_drf"])
