"""Faults of ours are told to Sentry, without anything that is a customer's or a secret.

Off without SENTRY_DSN. What leaves the house: where in our code it happened, the words of the
exception, only their first line and with secrets blanked out, and ids of our own. Never: values of
local variables, bodies, cookies, headers, who was signed in.
"""

import sentry_sdk
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint

from rampbridge import logs

KEPT_OF_REQUEST = ("method", "url")


def start(dsn: str, *, release: str, environment: str, transport: Transport | None = None) -> None:
    """Report from now on.

    :param transport: what to send by, in place of the network
    """
    sentry_sdk.init(
        dsn=dsn,
        release=f"rampbridge@{release}",
        environment=environment,
        data_collection={
            "user_info": False,
            "cookies": {"mode": "off"},
            "http_headers": {"request": {"mode": "off"}},
            "http_bodies": [],
            "url_query_params": {"mode": "off"},
            "database_query_data": False,
            "queues": False,
            "stack_frame_variables": False,
        },
        auto_enabling_integrations=False,
        integrations=[
            DjangoIntegration(cache_spans=False),
            CeleryIntegration(propagate_traces=False),
            LoggingIntegration(level=None, event_level=None),  # lines belong in the log
        ],
        max_breadcrumbs=0,
        trace_propagation_targets=[],
        before_send=redacted,
        transport=transport,
    )


def redacted(event: Event, _hint: Hint) -> Event:
    """The report without its secrets."""
    event.pop("user", None)
    event.pop("extra", None)
    event.pop("modules", None)
    event.pop("server_name", None)
    request = event.get("request")
    if isinstance(request, dict):
        kept = {name: value for name, value in request.items() if name in KEPT_OF_REQUEST}
        kept["url"] = str(kept.get("url", "")).split("?")[0]
        event["request"] = kept
    for exception in (event.get("exception") or {}).get("values", []):
        # PostgreSQL puts the row itself on the second line.
        exception["value"] = str(exception.get("value", "")).partition("\n")[0]
    cleaned: Event = logs.clean(dict(event))
    return cleaned
