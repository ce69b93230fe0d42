"""gunicorn's settings. It reads this file by itself when started in this directory."""

import gc
import os
from pathlib import Path
from typing import Any

from rampbridge import logs

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
timeout = 60
graceful_timeout = 30
max_requests = 5000
max_requests_jitter = 500
# Workers show signs of life by touching a file; on a slow disk that alone could look like death.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
logconfig_dict = logs.configuration(
    level=os.environ.get("LOG_LEVEL", "INFO"), format_name=os.environ.get("LOG_FORMAT", "json")
)
# Each request is told once, by rampbridge itself, with who asked and a request id.
logconfig_dict["loggers"] |= {
    "gunicorn.access": {"level": "WARNING"},
    "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
}


def worker_exit(_server: Any, _worker: Any) -> None:
    """What a process has counted is not lost with it."""
    from rampbridge.metrics.writing import write_down

    write_down()
    gc.freeze()  # looking for garbage once more takes a second in which nobody is served
