"""Every address of the program."""

from django.urls import include, path

from rampbridge import api, failures
from rampbridge.api_reference import api_reference
from rampbridge.health import healthz, readyz
from rampbridge.own_health.public import status_page
from rampbridge.own_health.views import health_page

urlpatterns = [
    path("", include("syncing.urls")),
    path("", include("migrations_tool.urls")),
    path("api/", api_reference, name="api_reference"),
    path("api/v1/", api.urls()),
    path("accounts/", include("allauth.urls")),
    path("health/", health_page, name="health"),
    path("status", status_page, name="public_status"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]

handler400 = failures.bad_request
handler403 = failures.permission_denied
handler404 = failures.page_not_found
handler500 = failures.server_error
