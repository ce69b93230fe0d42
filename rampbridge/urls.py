"""Every address of the program."""

from django.urls import include, path

from rampbridge import api, failures
from rampbridge.api_reference import api_reference
from rampbridge.health import healthz, readyz

urlpatterns = [
    path("", include("syncing.urls")),
    path("", include("migrations_tool.urls")),
    path("api/", api_reference, name="api_reference"),
    path("api/v1/", api.urls()),
    path("accounts/", include("allauth.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]

handler400 = failures.bad_request
handler403 = failures.permission_denied
handler404 = failures.page_not_found
handler500 = failures.server_error
