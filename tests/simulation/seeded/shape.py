"""What one seed is about: each draws few things and draws them strongly, so that all together
reach what no average run would."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from connections.erp.records import Idempotency
from tests.simulation.seeded.processes import Harm

# Written out, for seeds draw from it: another order or name would make another world of each.
POINTS = (
    "during_poll_page",
    "after_poll_page",
    "before_claim_commit",
    "after_claim_commit",
    "after_takeover_commit",
    "before_erp_post",
    "during_erp_post",
    "after_erp_post",
    "before_posted_commit",
    "after_posted_commit",
    "before_freeze_commit",
    "after_freeze_commit",
    "before_report",
    "after_report",
    "before_acked_commit",
    "after_acked_commit",
    "before_rejected_commit",
    "before_token_kept",
    "before_commit",
    "after_commit",
    "erp_sent",
    "ramp_sent",
)
CHART_POINTS = ("before_upload", "after_upload", "after_upload_kept")
"""Passed by charts on their way to Ramp."""
MOVE_POINTS = ("after_step_run_taken", "in_step_run")
"""Passed by steps of the wizard."""
_CLASSES = (Idempotency.LOOKUP, Idempotency.UNIQUE_KEY, Idempotency.LOOKUP, Idempotency.NONE)
_TYPES = ("transaction", "reimbursement", "transfer", "cashback")
BILL = "bill"
"""As `Connection.object_types` names it; bills bring their payments."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One run."""

    classes: Sequence[Idempotency]
    """Of each customer's ERP."""
    types: Sequence[str]
    objects: int
    workers: int
    chaos: float
    """Simulated seconds until faults stop."""
    erp_trouble: float
    ramp_trouble: float
    harm: Harm
    skew: float
    """How wrong clocks of workers may be, in seconds."""
    mischief: float
    """How often people do what is in the way: un-ready, export, change, per object."""
    largest: int
    """Minor units of the largest amount."""
    lost_bells: float
    amnesia: bool
    """Whether the database forgets its last commits once."""
    presses: float = 0.0
    """How often somebody presses Ramp's sync button, per object."""
    charts: int = 0
    """How often somebody does something about a chart; none is mirrored at 0."""
    moves: bool = False
    """Whether the customer moves to us from an integration that Ramp itself runs."""


def drawn(dice: random.Random) -> Shape:
    """The shape of a run."""
    customers = 2 if dice.random() < 0.2 else 1
    shape = Shape(
        classes=[dice.choice(_CLASSES) for _ in range(customers)],
        types=["transaction"] if dice.random() < 0.7 else dice.sample(_TYPES, 2),
        objects=dice.choice((2, 4, 7)),
        workers=dice.choice((2, 2, 3)),
        chaos=dice.choice((60.0, 180.0, 400.0)),
        erp_trouble=dice.choice((0.0, 0.2, 0.5)),
        ramp_trouble=dice.choice((0.0, 0.2, 0.4)),
        harm=Harm(
            switch=dice.choice((0.1, 0.4)),
            kill=dice.choice((0.0, 0.01, 0.03)),
            freeze=dice.choice((0.0, 0.0, 0.01, 0.03)),
            focus=dice.choice(POINTS),
        ),
        skew=dice.choice((0.0, 3600.0)),
        mischief=dice.choice((0.0, 0.3)),
        largest=dice.choice((2_000, 999_999, 99_999_999)),
        lost_bells=dice.choice((0.0, 0.0, 0.3)),
        amnesia=(roll := dice.random()) < 0.2,
    )
    # Of the same roll: a seed without them is the world that it was before there were any.
    if 0.13 <= roll < 0.45:
        shape = replace(shape, types=[*shape.types, BILL])
    if roll < 0.04 or 0.37 <= roll < 0.57:
        shape = replace(shape, presses=0.4)
    if 0.60 <= roll < 0.608:
        return _moving(shape, dice)
    return _with_charts(shape, dice) if 0.04 <= roll < 0.05 or 0.55 <= roll < 0.59 else shape


def _moving(shape: Shape, dice: random.Random) -> Shape:
    """One customer on the way to us; workers die most easily at the wizard's steps."""
    focus = dice.choice((*MOVE_POINTS, *CHART_POINTS, "ramp_sent", "before_commit"))
    harm = replace(shape.harm, focus=focus, kill=dice.choice((0.0, 0.01, 0.02)))
    return replace(
        shape,
        classes=shape.classes[:1],
        types=["transaction"],
        chaos=dice.choice((400.0, 800.0)),
        harm=harm,
        moves=True,
    )


def _with_charts(shape: Shape, dice: random.Random) -> Shape:
    """Charts are mirrored beside; those who bring them to Ramp die most easily where they do."""
    focus = dice.choice((*CHART_POINTS, "ramp_sent", "before_commit"))
    harm = replace(shape.harm, focus=focus, kill=dice.choice((0.0, 0.01, 0.02)))
    chaos = dice.choice((180.0, 400.0))
    ramp_trouble = dice.choice((0.0, 0.2, 0.4, 0.4))
    charts = dice.choice((4, 8))
    return replace(shape, chaos=chaos, charts=charts, harm=harm, ramp_trouble=ramp_trouble)
