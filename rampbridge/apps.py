from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models.signals import post_migrate

from rampbridge.lib import tracing


class RampbridgeConfig(AppConfig):
    """The project as an app: it owns the table of the shared cache and the groups of the roles."""

    name = "rampbridge"

    def ready(self) -> None:
        from rampbridge import (
            sessions,  # noqa: F401  connects what starts a session's clocks
            sign_in_lines,  # noqa: F401  connects who leaves a line when they come and go
        )
        from rampbridge.policy import create_groups

        _tell_others()

        # Django sends the signal for apps with models only; groups are auth's.
        auth = apps.get_app_config("auth")
        post_migrate.connect(create_groups, sender=auth, dispatch_uid="rampbridge.groups")


def _tell_others() -> None:
    """Report faults and send traces, where the environment names somebody to send them to."""
    if settings.SENTRY_DSN:
        from rampbridge import crash_reports

        crash_reports.start(
            settings.SENTRY_DSN, release=settings.RELEASE, environment=settings.SENTRY_ENVIRONMENT
        )
    if tracing.is_wanted():
        tracing.start(
            service="rampbridge", release=settings.RELEASE, tells_others=settings.TRACE_OTHERS
        )
