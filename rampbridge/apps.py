from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class RampbridgeConfig(AppConfig):
    """The project as an app: it owns the table of the shared cache and the groups of the roles."""

    name = "rampbridge"

    def ready(self) -> None:
        from rampbridge import (
            sessions,  # noqa: F401  connects what starts a session's clocks
            sign_in_lines,  # noqa: F401  connects who leaves a line when they come and go
        )
        from rampbridge.policy import create_groups

        # Django sends the signal for apps with models only; groups are auth's.
        auth = apps.get_app_config("auth")
        post_migrate.connect(create_groups, sender=auth, dispatch_uid="rampbridge.groups")
