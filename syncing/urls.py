"""Pages about items and the customers they belong to."""

from django.urls import path

from syncing.api import ramp_webhook
from syncing.views.customer_acts import compare_now, poll_now
from syncing.views.customers import customer, customers
from syncing.views.items import item, items, retry_file, retry_item, search
from syncing.views.overview import overview
from syncing.views.pauses import pauses, resume
from syncing.views.presses import press

urlpatterns = [
    path("", overview, name="overview"),
    path("customers/", customers, name="customers"),
    path("customers/<slug:slug>/", customer, name="customer"),
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
