"""Places in the code where a test may kill or freeze this process, to see what is left behind.

    failpoints.hit("after_erp_post")

does nothing unless the process was armed. `settings` arms it with RAMPBRIDGE_FAILPOINT, which is
refused wherever people reach us over TLS:

    after_erp_post=0.06,before_report=0.06    each passage kills with this probability
    before_posted_commit:3                    the third passage kills
    after_claim_commit=0.05:stop              freezes (SIGSTOP) in place of killing

Each strike is one line of RAMPBRIDGE_FAILPOINT_LOG, written before it happens, so that it can be
counted although the process is gone.
"""

import os
import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OF_SPEND = frozenset(
    {
        # webhooks
        "before_webhook_insert",
        "before_webhook_commit",
        "after_webhook_commit",
        # pulls
        "during_poll_page",
        "after_poll_page",
        # posts
        "before_claim_commit",
        "after_claim_commit",
        "after_takeover_commit",
        "before_erp_post",
        "during_erp_post",
        "after_erp_post",
        "before_posted_commit",
        "after_posted_commit",
        # reports
        "before_freeze_commit",
        "after_freeze_commit",
        "before_report",
        "after_report",
        "before_acked_commit",
        "after_acked_commit",
        "before_rejected_commit",
        "before_token_kept",
        # vendors
        "after_vendor_made",
        "after_vendor_uploaded",
        "after_coding",
        # files
        "after_file_claim",
        "after_attach",
    }
)
"""On the way of spend. `during_erp_post` is passed by adapters of tests only."""

OF_CHARTS = frozenset({"before_upload", "after_upload", "after_upload_kept"})
"""On the way of reference data from an ERP to Ramp."""

OF_MIGRATIONS = frozenset({"after_step_run_taken", "in_step_run"})
"""In the wizard: `in_step_run` is passed before each call of a step to the outside."""

NAMES = OF_SPEND | OF_CHARTS | OF_MIGRATIONS
"""Every failpoint there is."""


class BadFailpoint(ValueError):
    """What is armed is no failpoint, or not written as one. The message says which."""


@dataclass(frozen=True, slots=True)
class Strike:
    """What one failpoint does, and when."""

    probability: float = 1.0
    passage: int = 0
    """Only this one, counted from 1; 0: any."""
    by: signal.Signals = signal.SIGKILL


class _Armed:
    """The failpoints of this process, and how often each was passed."""

    def __init__(self, strikes: Mapping[str, Strike], *, seed: int, log: Path | None) -> None:
        self._strikes = strikes
        self._passages = dict.fromkeys(strikes, 0)
        self._dice = random.Random(seed)  # noqa: S311  repeats a run, guards nothing
        self._log = log

    def pass_by(self, name: str) -> None:
        strike = self._strikes.get(name)
        if strike is None:
            return
        self._passages[name] += 1
        if strike.passage and self._passages[name] != strike.passage:
            return
        if self._dice.random() < strike.probability:
            self._note(name, strike)
            os.kill(os.getpid(), strike.by)

    def _note(self, name: str, strike: Strike) -> None:
        if self._log is None:
            return
        line = f"{name} {strike.by.name}\n".encode()
        # One write to a file opened for appending: lines of several processes do not mix.
        log = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(log, line)
        os.close(log)


_armed: _Armed | None = None


def hit(name: str) -> None:
    """Pass a failpoint. Nothing happens unless a test has armed it."""
    if _armed is not None:
        _armed.pass_by(name)


def is_armed() -> bool:
    """Whether a test may have anything happen here."""
    return _armed is not None


def arm(wanted: str, *, seed: int = 0, log: Path | None = None) -> None:
    """Arm this process in place of what was armed before; an empty text disarms it.

    :raises BadFailpoint: if it is not written as above
    """
    global _armed
    strikes = parse(wanted)
    _armed = _Armed(strikes, seed=seed, log=log) if strikes else None


def parse(wanted: str) -> dict[str, Strike]:
    """What a text like that of RAMPBRIDGE_FAILPOINT arms.

    :raises BadFailpoint: if it is not written as above
    """
    return dict(_parse_one(part.strip()) for part in wanted.split(",") if part.strip())


def _parse_one(text: str) -> tuple[str, Strike]:
    words, *details = text.split(":")
    name, _, probability = words.partition("=")
    if name not in NAMES:
        raise BadFailpoint(f"there is no failpoint {name!r}")
    passage, kind = 0, signal.SIGKILL
    for detail in details:
        if detail == "stop":
            kind = signal.SIGSTOP
        elif detail.isdecimal() and int(detail) > 0:
            passage = int(detail)
        else:
            raise BadFailpoint(f"{text!r} ends in neither a number nor `stop`")
    try:
        chance = float(probability) if probability else 1.0
    except ValueError:
        raise BadFailpoint(f"{probability!r} is no probability") from None
    if not 0 <= chance <= 1:
        raise BadFailpoint(f"{probability!r} is no probability")
    return name, Strike(chance, passage, kind)
