"""The Celery app. Its messages are doorbells: losing all of them loses no work."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rampbridge.settings")

app = Celery("rampbridge")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
