"""What alerts there can be: a catalogue of kinds, their settings and their words. Pure."""

from collections.abc import Mapping

from syncing.alert_kinds.base import Kind as Kind
from syncing.alert_kinds.base import Reading as Reading
from syncing.alert_kinds.base import Subject as Subject
from syncing.alert_kinds.base import Thresholds as Thresholds
from syncing.alert_kinds.base import Unit as Unit
from syncing.alert_kinds.base import said as said
from syncing.alert_kinds.fleet import FLEET_KINDS
from syncing.alert_kinds.flow import FLOW_KINDS
from syncing.alert_kinds.links import LINK_KINDS

KINDS: Mapping[str, Kind] = {kind.key: kind for kind in (*FLEET_KINDS, *FLOW_KINDS, *LINK_KINDS)}
"""Every kind by its key, in the order in which people choose from them."""
