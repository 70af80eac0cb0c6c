"""Production's settings without collected static files, which no benchmark fetches."""

from leadgen.settings import *  # noqa: F403
from leadgen.settings import STORAGES

STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
