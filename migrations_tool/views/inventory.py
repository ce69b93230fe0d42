"""The inventory as a file."""

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from migrations_tool.inventory.handler import CODE
from migrations_tool.inventory.tables import COLUMNS, Inventory
from migrations_tool.models import ConnectionMigration
from migrations_tool.proofs import newest
from rampbridge.lib.csv_stream import csv_response
from rampbridge.policy import Permission, allow


@require_GET
@allow(Permission.SEE)
def migration_inventory_csv(_request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """One row for each type, entity, state and currency."""
    migration = get_object_or_404(ConnectionMigration.objects.select_related("connection"), pk=pk)
    counted = newest(migration, CODE)
    if counted is None:
        raise Http404("nothing is counted yet")
    name = f"inventory-{migration.connection.slug}-{counted.at:%Y-%m-%d}"
    return csv_response(name, COLUMNS, Inventory(counted).rows())
