"""Trouble on order. A fault says what goes wrong, where, how often and with what probability."""

import random
import threading
from collections.abc import Container
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    # Before anything was done
    ANSWER = "answer"  # an error answer: 429, 500, 503, 504 ... with a code and a message
    HANG_UP = "hang_up"  # the line is cut before the call was heard
    SLOW = "slow"  # wait, then do it
    HTML_404 = "html_404"  # the page of a web framework in place of an API answer
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105 - 7002, as 404 or 401
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - 7028
    SCOPE_MISSING = "scope_missing"  # 7100
    BAD_ROW = "bad_row"  # an upload that has the record `row_id` is refused, naming it or not
    BURNT_KEY = "burnt_key"  # 500, nothing applied, and yet the idempotency key is used up
    # After everything was done
    LOST_ANSWER = "lost_answer"  # 504, or another status, though it was done
    HANG_UP_AFTER = "hang_up_after"  # the line is cut before the answer
    SLOW_ANSWER = "slow_answer"  # do it, then wait
    NOT_JSON = "not_json"  # 200 with a web page
    # In what it does
    INCUMBENT_RETURNED = "incumbent_returned"  # is_active false is overlooked on creation (C5)
    CHART_CHANGED = "chart_changed"  # somebody renames the account `row_id`, then it is done
    # In the answer
    NOT_READY_WITHOUT_IDS = "not_ready_without_ids"  # 7062 whose message names nobody
    BARE_CURSOR = "bare_cursor"  # page.next is an id and no address
    LOOPING_CURSOR = "looping_cursor"  # page.next leads back to this page
    FOREIGN_CURSOR = "foreign_cursor"  # page.next leads to another host
    NO_PAGE = "no_page"  # page is null
    MALFORMED_ROW = "malformed_row"  # the first row of a list does not fit the schema
    # On the way to the client's webhook
    WEBHOOK_LOST = "webhook_lost"
    WEBHOOK_REPEATED = "webhook_repeated"  # sent three times with one id
    WEBHOOK_LATE = "webhook_late"
    WEBHOOK_OUT_OF_ORDER = "webhook_out_of_order"  # sent after the event that follows it
    WEBHOOK_WRONG_SIGNATURE = "webhook_wrong_signature"


class Fault(BaseModel):
    """`operation` is a method and a path as in `operations`, an event type for webhooks, or `*`.

    It spares the first `skip` matches, then strikes `times` times, or without end if that is
    null, each time with `probability`. A bad row is named by its place in the batch and by
    `field`, as Ramp names what does not fit its schema, unless `is_named` is false.
    """

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    operation: str = "*"
    business: str | None = None
    times: int | None = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)
    probability: float = Field(default=1.0, ge=0, le=1)
    status: int = Field(default=0, ge=0, le=599)
    code: str = ""
    message: str = ""
    seconds: float = Field(default=0, ge=0)
    headers: dict[str, str] = {}
    row_id: str = ""
    field: str = "name"
    is_named: bool = True
    id: int = 0
    struck: int = 0

    def concerns(
        self, kind: FaultKind, operation: str, business: str, row_ids: Container[str]
    ) -> bool:
        return (
            self.kind is kind
            and self.operation in {"*", operation}
            and self.business in {None, business}
            and (kind is not FaultKind.BAD_ROW or self.row_id in row_ids)
        )


class FaultBook:
    """The faults that are on order. They end with the process, as switches and counters do."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._last_id = 0

    def order(self, fault: Fault) -> Fault:
        with self._lock:
            self._last_id += 1
            fault.id = self._last_id
            self._faults.append(fault)
            return fault

    def ordered(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def cancel(self, fault_id: int | None = None) -> None:
        """Cancel one fault, or all."""
        with self._lock:
            self._faults = [
                fault for fault in self._faults if fault_id is not None and fault.id != fault_id
            ]

    def is_on_order(self, kind: FaultKind) -> bool:
        return any(fault.kind is kind for fault in self._faults)

    def take(
        self, kind: FaultKind, operation: str, business: str, row_ids: Container[str] = ()
    ) -> Fault | None:
        """The fault that strikes here and now, if one does; it is one nearer to its end.

        `row_ids` are the ERP's ids of what is uploaded.
        """
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if fault.concerns(kind, operation, business, row_ids) and self._strikes(fault):
                    return fault
            return None

    def _strikes(self, fault: Fault) -> bool:
        if self._dice.random() >= fault.probability:
            return False
        if fault.skip:
            fault.skip -= 1
            return False
        fault.struck += 1
        if fault.struck == fault.times:
            self._faults.remove(fault)
        return True
