"""The Celery application of worker and beat. A lost message costs time, never work."""

import os

from celery import Celery
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

TRANSPORT_ALIASES["folder"] = "portal.folder_broker:Transport"

app = Celery("larder")
app.conf.update(settings.CELERY)
app.autodiscover_tasks()
