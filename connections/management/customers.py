"""What commands share that work on one customer."""

from django.core.management.base import CommandError

from connections.models import Connection


def customer_called(slug: str) -> Connection:
    """The customer of a short name.

    :raises CommandError: if there is none; it names those that there are
    """
    connection = Connection.objects.filter(slug=slug).first()
    if connection is None:
        known = ", ".join(Connection.objects.order_by("slug").values_list("slug", flat=True))
        raise CommandError(f"customer: No customer is called {slug}. There are: {known}.")
    return connection
