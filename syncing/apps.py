from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, post_save


class SyncingConfig(AppConfig):
    name = "syncing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Try again what old credentials stopped, wherever new ones are entered; make the alert
        rules that come with the program."""
        from connections.models import Credential
        from syncing import circuit
        from syncing.alerts.shipped import ship

        post_migrate.connect(ship, sender=self, dispatch_uid="syncing.alert_rules")

        def try_again(instance: Credential, **_: Any) -> None:
            circuit.credentials_changed(instance.connection_id, instance.side)

        post_save.connect(try_again, sender=Credential, weak=False, dispatch_uid="try_again")
