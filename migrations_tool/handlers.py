"""Who handles which step."""

from collections.abc import Mapping

from migrations_tool.access.handler import Access
from migrations_tool.backup.handler import BackupHandler
from migrations_tool.drain.handler import DrainHandler
from migrations_tool.cutover.handler import CutoverHandler
from migrations_tool.flip.handler import FlipHandler
from migrations_tool.inventory.handler import InventoryHandler
from migrations_tool.newcomer.handler import NewConnection
from migrations_tool.old_chart.handler import MappingHandler
from migrations_tool.plan.handler import Plan
from migrations_tool.preload.handler import Preload
from migrations_tool.rehearsal.handler import RehearsalHandler
from migrations_tool.preload.handler import Preload
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step

_OWN: Mapping[Step, Handler] = {
    Step.PRELOAD: Preload(),
    Step.CONNECTION: NewConnection(),
    Step.PRELOAD: Preload(),
    Step.PLAN: Plan(),
    Step.BACKUP: BackupHandler(),
    Step.DRAIN: DrainHandler(),
    Step.MAPPING: MappingHandler(),
    Step.REHEARSAL: RehearsalHandler(),
    Step.ACCESS: Access(),
    Step.INVENTORY: InventoryHandler(),
    Step.FLIP: FlipHandler(),
    Step.CUTOVER: CutoverHandler(),
}
HANDLERS: Mapping[Step, Handler] = {step: _OWN.get(step, Handler()) for step in Step}


def handler_of(step: Step) -> Handler:
    return HANDLERS[step]
