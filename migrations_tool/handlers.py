"""Who handles which step."""

from collections.abc import Mapping

from migrations_tool.access.handler import Access
from migrations_tool.flip.handler import FlipHandler
from migrations_tool.newcomer.handler import NewConnection
from migrations_tool.old_chart.handler import MappingHandler
from migrations_tool.plan.handler import Plan
from migrations_tool.backup.handler import BackupHandler
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step

_OWN: Mapping[Step, Handler] = {
    Step.CONNECTION: NewConnection(),
    Step.PLAN: Plan(),
    Step.BACKUP: BackupHandler(),
    Step.MAPPING: MappingHandler(),
    Step.ACCESS: Access(),
    Step.FLIP: FlipHandler(),
}
HANDLERS: Mapping[Step, Handler] = {step: _OWN.get(step, Handler()) for step in Step}


def handler_of(step: Step) -> Handler:
    return HANDLERS[step]
