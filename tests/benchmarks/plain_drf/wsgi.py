import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.benchmarks.plain_drf.settings")

from django.core.wsgi import get_wsgi_application

from tests.benchmarks.plain_drf.celery import app  # noqa: F401 - shared tasks belong to it

application = get_wsgi_application()
