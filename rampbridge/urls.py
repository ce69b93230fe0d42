"""Every address of the program."""

from django.urls import include, path

from rampbridge.health import healthz, readyz

urlpatterns = [
    path("", include("syncing.urls")),
    path("accounts/", include("allauth.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
