"""Lets the page of an item lead to what its object was coded to before the switch."""

from django import template

from migrations_tool import former_codings
from syncing.models import SyncItem

register = template.Library()


@register.simple_tag
def has_former_coding(item: SyncItem) -> bool:
    """Whether an archive of the customer has the item's object. One statement."""
    return former_codings.is_known(item.connection, item.ramp_id)
