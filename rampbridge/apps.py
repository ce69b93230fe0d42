from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RampbridgeConfig(AppConfig):
    """The project as an app: it owns the table of the shared cache and the groups of the roles."""

    name = "rampbridge"

    def ready(self) -> None:
        from rampbridge.policy import create_groups

        post_migrate.connect(create_groups, sender=self, dispatch_uid="rampbridge.groups")
