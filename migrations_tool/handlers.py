"""Who handles which step."""

from collections.abc import Mapping

from migrations_tool.access.handler import Access
from migrations_tool.backup.handler import BackupHandler
from migrations_tool.cutover.handler import CutoverHandler
from migrations_tool.drain.handler import DrainHandler
from migrations_tool.flip.handler import FlipHandler
from migrations_tool.hypercare.handler import HypercareHandler
from migrations_tool.inventory.handler import InventoryHandler
from migrations_tool.newcomer.handler import NewConnection
from migrations_tool.old_chart.handler import MappingHandler
from migrations_tool.plan.handler import Plan
from migrations_tool.preload.handler import Preload
from migrations_tool.rehearsal.handler import RehearsalHandler
from migrations_tool.rules.handler import Rules
from migrations_tool.settings_step.handler import Settings
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step

_OWN: Mapping[Step, Handler] = {
    Step.SETTINGS: Settings(),
    Step.PRELOAD: Preload(),
    Step.CONNECTION: NewConnection(),
    Step.PLAN: Plan(),
    Step.BACKUP: BackupHandler(),
    Step.DRAIN: DrainHandler(),
    Step.MAPPING: MappingHandler(),
    Step.REHEARSAL: RehearsalHandler(),
    Step.ACCESS: Access(),
    Step.INVENTORY: InventoryHandler(),
    Step.RULES: Rules(),
    Step.FLIP: FlipHandler(),
    Step.CUTOVER: CutoverHandler(),
    Step.HYPERCARE: HypercareHandler(),
}
HANDLERS: Mapping[Step, Handler] = {step: _OWN.get(step, Handler()) for step in Step}


def handler_of(step: Step) -> Handler:
    return HANDLERS[step]
