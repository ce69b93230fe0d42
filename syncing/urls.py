"""Pages about items and the customers they belong to."""

from django.urls import path

from syncing.api import ramp_webhook
from syncing.views.connection_settings import (
    ask,
    check_now,
    connection_settings,
    disconnect,
    edit_basics,
    new_credentials,
    turn_switch,
)
from syncing.views.customer_acts import compare_now, poll_now
from syncing.views.customers import customer, customers
from syncing.views.items import item, items, retry_file, retry_item, search
from syncing.views.onboarding import (
    onboarding,
    onboarding_accounts,
    onboarding_entities,
    onboarding_start,
    read_chart,
)
from syncing.views.overview import overview
from syncing.views.pauses import pauses, resume
from syncing.views.presses import press

urlpatterns = [
    path("", overview, name="overview"),
    path("customers/", customers, name="customers"),
    path("customers/new/", onboarding_start, name="onboarding_start"),
    path("customers/<slug:slug>/", customer, name="customer"),
    path("customers/<slug:slug>/settings/", connection_settings, name="connection_settings"),
    path("customers/<slug:slug>/settings/basics/", edit_basics, name="edit_basics"),
    path("customers/<slug:slug>/settings/check", check_now, name="check_now"),
    path("customers/<slug:slug>/settings/ask/<slug:what>", ask, name="ask"),
    path("customers/<slug:slug>/settings/disconnect/", disconnect, name="disconnect"),
    path(
        "customers/<slug:slug>/settings/credentials/<slug:side>/",
        new_credentials,
        name="new_credentials",
    ),
    path("customers/<slug:slug>/settings/switches/<slug:name>", turn_switch, name="turn_switch"),
    path("customers/<slug:slug>/onboarding/", onboarding, name="onboarding"),
    path("customers/<slug:slug>/onboarding/read", read_chart, name="read_chart"),
    path(
        "customers/<slug:slug>/onboarding/entities/",
        onboarding_entities,
        name="onboarding_entities",
    ),
    path(
        "customers/<slug:slug>/onboarding/accounts/",
        onboarding_accounts,
        name="onboarding_accounts",
    ),
    path("customers/<slug:slug>/poll", poll_now, name="poll_now"),
    path("customers/<slug:slug>/compare", compare_now, name="compare_now"),
    path("customers/<slug:slug>/pauses/", pauses, name="pauses"),
    path("customers/<slug:slug>/pauses/<int:pk>/resume", resume, name="resume"),
    path("customers/<slug:slug>/sync-requests/<uuid:pk>/", press, name="press"),
    path("items/", items, name="items"),
    path("items/<int:pk>/", item, name="item"),
    path("items/<int:pk>/retry", retry_item, name="retry_item"),
    path("items/<int:item_pk>/files/<int:pk>/retry", retry_file, name="retry_file"),
    path("search", search, name="search"),
    path("webhooks/ramp/<uuid:subscription_id>", ramp_webhook, name="ramp_webhook"),
]
