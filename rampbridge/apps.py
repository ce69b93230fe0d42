from django.apps import AppConfig


class RampbridgeConfig(AppConfig):
    """The project as an app: it owns the table of the shared cache."""

    name = "rampbridge"
