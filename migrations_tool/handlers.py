"""Who handles which step."""

from collections.abc import Mapping

from migrations_tool.newcomer.handler import NewConnection
from migrations_tool.plan.handler import Plan
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step

_OWN: Mapping[Step, Handler] = {
    Step.PLAN: Plan(),
    Step.CONNECTION: NewConnection(),
}
HANDLERS: Mapping[Step, Handler] = {step: _OWN.get(step, Handler()) for step in Step}


def handler_of(step: Step) -> Handler:
    return HANDLERS[step]
