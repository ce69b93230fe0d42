"""The states of one sync item and the steps between them. Pure.

    READY --claim--> POSTING --booked/found--> POSTED --freeze--> ACKING --accepted--> ACKED
      ^                 |  |                      |                  |
      |                 |  +--outcome unknown,    +-----rejected-----+--Ramp refuses--> MISMATCH
      |                 |     nothing to ask--> REVIEW
      +--fixed, retry-- FAILED <--definite refusal
    READY --synced or gone in Ramp--> EXTERNAL / WITHDRAWN
    READY --another document books it (a bill paid by card)--> POSTED
    POSTED --Ramp keeps no sync state of it (vendor credits)--> ACKED
    ACKED --changed or deleted in the ERP--> MISMATCH
    FAILED, REVIEW --a person names the document that somebody else booked--> POSTED
    FAILED, REVIEW --a person says that it was handled outside--> EXTERNAL
    EXTERNAL --that is taken back of one that was in REVIEW--> REVIEW

Why so: docs/adr/0003, 0004 and 0012. States are only ever added, never renamed, because old and new
code run side by side during a deploy (fault I8).
"""

from enum import StrEnum

from rampbridge.lib.transitions import Transitions


class ItemState(StrEnum):
    """What is true of an item. The words people read on screen are `syncing.queries.word_for`'s."""

    READY = "READY"  # snapshot stored, nothing sent for the current attempt
    POSTING = "POSTING"  # the intent is durable; the document may or may not exist
    POSTED = "POSTED"  # the ERP's id is known and durable
    ACKING = "ACKING"  # member of a frozen report batch
    ACKED = "ACKED"  # Ramp confirmed
    FAILED = "FAILED"  # the ERP definitely holds no document; a category says whose move it is
    REVIEW = "REVIEW"  # outcome unknown and nothing to ask: a person decides
    EXTERNAL = "EXTERNAL"  # synced in Ramp, but not by us
    WITHDRAWN = "WITHDRAWN"  # taken back in Ramp before we sent anything
    MISMATCH = "MISMATCH"  # booked, but the two sides disagree: a person decides


_S = ItemState

TRANSITIONS: Transitions[ItemState] = {
    _S.READY: {_S.POSTING, _S.POSTED, _S.FAILED, _S.EXTERNAL, _S.WITHDRAWN},
    _S.POSTING: {_S.POSTED, _S.READY, _S.FAILED, _S.REVIEW, _S.MISMATCH},
    _S.POSTED: {_S.ACKING, _S.ACKED},
    _S.ACKING: {_S.ACKED, _S.POSTED, _S.MISMATCH},
    _S.ACKED: {_S.MISMATCH},
    _S.FAILED: {_S.READY, _S.POSTED, _S.EXTERNAL, _S.WITHDRAWN},
    _S.REVIEW: {_S.POSTED, _S.READY, _S.EXTERNAL},
    _S.EXTERNAL: {_S.READY, _S.REVIEW},
    _S.WITHDRAWN: {_S.READY, _S.EXTERNAL},
    _S.MISMATCH: {_S.POSTED, _S.ACKED},
}

OPEN_STATES = frozenset(
    {_S.READY, _S.POSTING, _S.POSTED, _S.ACKING, _S.FAILED, _S.REVIEW, _S.MISMATCH}
)
"""Not yet through: what backlog, ages and unsynced amounts are made of."""
