"""Celery as production starts it, which also knows the pretend ERP: `-m bench.worker ...`."""

import sys

from bench.pretend_erp import KIND, PretendErp
from connections.erp import registry
from rampbridge.celery import app

if __name__ == "__main__":
    registry.ADAPTERS = {**registry.ADAPTERS, KIND: PretendErp}
    app.start(sys.argv[1:])
