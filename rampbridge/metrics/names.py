"""Every name that /metrics shows, with its labels: what rules and dashboards may speak of."""

from collections.abc import Mapping

from rampbridge.lib.meters import Counter
from rampbridge.metrics.collecting import METERS, PREFIX
from rampbridge.metrics.gauges import HEAVY, LIGHT

Names = Mapping[str, frozenset[str]]


def exposed() -> Names:
    """The names of samples, as Prometheus sees them, and the labels of each."""
    names: dict[str, frozenset[str]] = {f"{PREFIX}build_info": frozenset({"version", "git"})}
    for gauge in (*LIGHT, *HEAVY):
        names[PREFIX + gauge.name] = frozenset(gauge.labels)
    for meter in METERS:
        name, labels = PREFIX + meter.name, frozenset(meter.labels)
        if isinstance(meter, Counter):
            names[f"{name}_total"] = labels
        else:
            names[f"{name}_bucket"] = labels | {"le"}
            names[f"{name}_count"] = names[f"{name}_sum"] = labels
    return names
