"""Who handles which step."""

from collections.abc import Mapping

from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step

HANDLERS: Mapping[Step, Handler] = {step: Handler() for step in Step}


def handler_of(step: Step) -> Handler:
    return HANDLERS[step]
