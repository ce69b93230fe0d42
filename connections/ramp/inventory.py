"""Inventory items of one accounting connection in Ramp: one field, then its options."""

from collections.abc import Iterator, Sequence
from typing import Unpack
from uuid import UUID

from connections.ramp.bodies import (
    ChartFilters,
    InventoryFieldChanges,
    InventoryOptionChanges,
    InventoryOptionUpload,
)
from connections.ramp.chart_calls import ChartCalls, Taken
from connections.ramp.schemas import InventoryItem, InventoryItemOption

_FIELD, _OPTIONS = "accounting/inventory-item", "accounting/inventory-item/options"


class Inventory(ChartCalls):
    """One method per endpoint; Ramp has none for a single option."""

    def inventory_item(self) -> InventoryItem | None:
        """The field that items are the options of; None if there is none yet."""
        return self._only(_FIELD, InventoryItem)

    def create_inventory_item(self, *, name: str, display_name: str = "") -> InventoryItem:
        """:raises InvalidRequest: if there is one already; a connection has one at most"""
        field = {"name": name, **({"display_name": display_name} if display_name else {})}
        return self._create(_FIELD, InventoryItem, field)

    def update_inventory_item(self, **changes: Unpack[InventoryFieldChanges]) -> InventoryItem:
        return self._patch_only(_FIELD, InventoryItem, changes)

    def delete_inventory_item(self) -> None:
        self._delete_only(_FIELD)

    def inventory_item_options(
        self, **filters: Unpack[ChartFilters]
    ) -> Iterator[InventoryItemOption]:
        return self._list(_OPTIONS, InventoryItemOption, filters)

    def upload_inventory_item_options(
        self, options: Sequence[InventoryOptionUpload]
    ) -> Taken[InventoryItemOption]:
        """1 to 500, all or nothing. Field and GL accounts must be in Ramp before."""
        return self._upload(_OPTIONS, "options", InventoryItemOption, options)

    def update_inventory_item_option(
        self, ramp_id: UUID, **changes: Unpack[InventoryOptionChanges]
    ) -> InventoryItemOption:
        return self._patch(_OPTIONS, ramp_id, InventoryItemOption, {**changes, **self._scope})

    def delete_inventory_item_option(self, ramp_id: UUID) -> None:
        self._delete(_OPTIONS, ramp_id)
