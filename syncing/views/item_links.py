"""Where an item can be opened in Ramp and in the ERP. Links that may lead nowhere say so."""

from dataclasses import dataclass

from syncing.models import SyncItem
from syncing.queries.ramp_links import address_in_ramp


@dataclass(frozen=True, slots=True)
class Link:
    """One way out of here."""

    name: str
    where: str
    url: str
    is_told: bool
    """The other side has named this address itself; else it is put together by us."""


def links_of(item: SyncItem) -> list[Link]:
    """The item's links: Ramp's app where its API is Ramp's own, the ERP once it has told."""
    links = []
    if url := address_in_ramp(item.object_type, item.ramp_id):
        links.append(Link("ramp", "Ramp", url, is_told=False))
    if item.erp_url:
        links.append(Link("erp", item.connection.erp_name, item.erp_url, is_told=True))
    return links
