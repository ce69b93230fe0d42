"""Pages about items and the customers they belong to."""

from django.urls import path

from syncing.api import ramp_webhook
from syncing.views.customers import customer, customers
from syncing.views.items import item, items, retry_item, search
from syncing.views.overview import overview

urlpatterns = [
    path("", overview, name="overview"),
    path("customers/", customers, name="customers"),
    path("customers/<slug:slug>/", customer, name="customer"),
    path("items/", items, name="items"),
    path("items/<int:pk>/", item, name="item"),
    path("items/<int:pk>/retry", retry_item, name="retry_item"),
    path("search", search, name="search"),
    path("webhooks/ramp/<uuid:subscription_id>", ramp_webhook, name="ramp_webhook"),
]
