"""What a delivery costs the web process, against a plain view, and whether any is lost under load.

gunicorn with production's settings, the broker and PostgreSQL are the real ones. Three of ten
deliveries have come before. First ours and the plain one in turns, as fast as they answer; then
ours at a steady rate, at which nobody may wait long and every accepted event must be kept.
"""

from collections.abc import Mapping
from functools import partial

from bench.deliveries import Answers, deliver, share_secret, some
from bench.figures import Measured
from bench.paired import PAIRS, in_turns, interval, ratio
from bench.processor_time import seconds_of
from bench.service import Stuck
from bench.stack import Running, Stack, running_stack
from syncing.models import WebhookEvent

CUSTOMERS = 10
STAGE = partial(running_stack, customers=CUSTOMERS)
IN_A_TURN = 1000
A_SECOND, LASTS = 400, 20.0
AGAIN = 0.3
LINES = 4
"""As many as one process of gunicorn answers at a time."""
_WARM_UP = 200


def measure(
    stack: Stack,
    *,
    in_a_turn: int = IN_A_TURN,
    pairs: int = PAIRS,
    a_second: float = A_SECOND,
    lasts: float = LASTS,
) -> Mapping[str, Measured]:
    subscriptions = [share_secret(one) for one in stack.connect(CUSTOMERS)]
    seeds = iter(range(10_000))
    accepted: set[str] = set()

    def cost(address: str, web: Running, count: int) -> float:
        """Seconds of the processor for each delivery."""
        made = some(subscriptions, count, again=AGAIN, seed=next(seeds))
        before = seconds_of(web.pid)
        answers = deliver(address, made, lines=LINES)
        _check(answers)
        accepted.update(answers.accepted)
        return (seconds_of(web.pid) - before) / count

    with (
        stack.web() as ours,
        stack.web(application="bench.opponents.plain_webhook") as plain,
    ):
        cost(*ours, _WARM_UP), cost(*plain, _WARM_UP)
        turns = in_turns(
            lambda: cost(*plain, in_a_turn), lambda: cost(*ours, in_a_turn), pairs=pairs
        )
        steady = deliver(
            ours[0],
            some(subscriptions, round(a_second * lasts), again=AGAIN, seed=next(seeds)),
            lines=4 * LINES,
            a_second=a_second,
        )
    _check(steady)
    accepted |= steady.accepted
    kept = set(WebhookEvent.objects.values_list("event_id", flat=True))
    waits = sorted(steady.seconds)
    rates = [1 / mine for _, mine in turns]
    return {
        "webhooks": Measured(
            sorted(rates)[len(rates) // 2],
            {"unit": "deliveries for each second of the web process's processor"},
            interval(rates),
        ),
        "webhooks_plain": ratio(turns, unit="seconds of the processor, plain by ours"),
        "webhooks_wait": Measured(
            1000 * waits[round(0.99 * (len(waits) - 1))],
            {
                "unit": "milliseconds, p99",
                "p50": round(1000 * waits[len(waits) // 2], 1),
                "offered_a_second": a_second,
                "answered_a_second": round(len(waits) / steady.took, 1),
            },
        ),
        "webhooks_lost": Measured(len(accepted - kept), {"accepted": len(accepted)}),
    }


def _check(answers: Answers) -> None:
    if answers.refused:
        raise Stuck(f"{answers.refused} of {len(answers.seconds)} deliveries were refused.")
