"""The settings, for mypy's Django plugin, which runs without an environment."""

import os

from tests.environment import TEST_ENVIRONMENT

os.environ.update({"DATABASE_URL": "dbname=rampbridge", **TEST_ENVIRONMENT})

from rampbridge.settings import *  # noqa: F403
