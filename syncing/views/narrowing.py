"""Filters that lists across customers have in common."""

from collections.abc import Container

from django.http import Http404, HttpRequest

from connections import queries
from connections.models import Connection

CUSTOMERS_LISTED = 100
"""With more of them the filter is a field with suggestions."""


def chosen_customer(request: HttpRequest) -> Connection | None:
    """The customer that the URL names; None if it names none.

    :raises Http404: if there is no such customer
    """
    slug = request.GET.get("customer", "")
    if not slug:
        return None
    found = Connection.objects.filter(slug=slug).first()
    if found is None:
        raise Http404("no customer of that name")
    return found


def customers_offered() -> list[tuple[str, str]] | None:
    """Slug and name of each customer; None if they are too many for a list."""
    found = queries.customer_choices(at_most=CUSTOMERS_LISTED + 1)
    return found if len(found) <= CUSTOMERS_LISTED else None


def known(value: str, allowed: Container[str]) -> str:
    """What the URL says, or nothing if it says nonsense."""
    return value if value in allowed else ""
