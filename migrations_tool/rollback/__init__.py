"""Ways back: before the switch to the old connection untouched, after it to the old one again."""

from migrations_tool.rollback.after_flip import (
    ask_to_end_as_it_is,
    end_as_it_is,
    stop,
    verify,
)
from migrations_tool.rollback.before_flip import abandon, ask_to_abandon

__all__ = ["abandon", "ask_to_abandon", "ask_to_end_as_it_is", "end_as_it_is", "stop", "verify"]
