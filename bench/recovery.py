"""What recovery costs the ERP: look-ups, and documents that are sent again.

The kill test's processes die at named failpoints, though only one time in fifty that they pass one,
and one write in five goes wrong on the network. Counted are the
documents that ERPs were sent and the look-ups they were asked, over the documents that they hold.
Without faults it is one write for each and no look-up. How much longer it takes is not told here:
time runs sixty times as fast there, and what the processor takes would count sixty times too.
"""

import logging
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.figures import Measured
from bench.service import Stuck
from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.records import Idempotency
from tests.simulation import kills, stage, strikes
from tests.simulation.ledgers import Ledgers
from tests.simulation.outcome import Wanted

KILLS, SEED = 100, 7
CHANCE = 0.02
"""That a process dies where it passes a failpoint."""
NAMES = {Idempotency.LOOKUP: "recovery_looked_up", Idempotency.UNIQUE_KEY: "recovery_sent_again"}


class CountingLedgers(Ledgers):
    """Counts what reaches the line to the ERPs, lost or not, by their class."""

    last: "CountingLedgers"

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.writes: Counter[Idempotency] = Counter()
        self.look_ups: Counter[Idempotency] = Counter()
        CountingLedgers.last = self

    def _post(self, erp: InMemoryErp, given: Sequence[Any]) -> tuple[str, Any]:
        self.writes[_class_of(erp)] += len(given)
        return super()._post(erp, given)

    def _find(self, erp: InMemoryErp, ref: Any) -> tuple[str, Any]:
        self.look_ups[_class_of(erp)] += 1
        return super()._find(erp, ref)

    def documents(self) -> Counter[Idempotency]:
        """How many documents the ERPs of each class hold."""
        counted: Counter[Idempotency] = Counter()
        for erp in self.companies.values():
            counted[_class_of(erp)] += len(erp.books.entries)
        return counted


def measure(_: None, *, wanted: int = KILLS) -> Mapping[str, Measured]:
    logging.disable(logging.WARNING)  # each of the deaths would be told
    with (
        tempfile.TemporaryDirectory(prefix="rb-") as room,
        patch.object(stage, "Ledgers", CountingLedgers),
        patch.object(strikes, "chance", lambda *_, **__: CHANCE),
        patch.object(kills, "LEAST_STRIKES", 0),
    ):
        outcome = kills.run(Wanted(wanted, SEED), os.environ["DATABASE_URL"], Path(room))
    if not outcome.is_clean:
        raise Stuck(f"What was killed did not recover: {outcome.findings[:5]}")
    ledgers = CountingLedgers.last
    documents = ledgers.documents()
    told = {"kills": outcome.kills, "objects": outcome.objects}
    writes = {
        name: Measured(
            ledgers.writes[kind] / documents[kind],
            {"documents": documents[kind], "writes": ledgers.writes[kind], **told},
        )
        for kind, name in NAMES.items()
    }
    look_ups = ledgers.look_ups[Idempotency.LOOKUP]
    return {
        **writes,
        "recovery_look_ups": Measured(
            look_ups / documents[Idempotency.LOOKUP],
            {"documents": documents[Idempotency.LOOKUP], "look_ups": look_ups, **told},
        ),
    }


def _class_of(erp: InMemoryErp) -> Idempotency:
    return erp.capabilities().idempotency
