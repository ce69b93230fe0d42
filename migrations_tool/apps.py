from django.apps import AppConfig


class MigrationsToolConfig(AppConfig):
    name = "migrations_tool"
    default_auto_field = "django.db.models.BigAutoField"
