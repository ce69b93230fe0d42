"""What a trouble with one file means for it, and for the other files of its connection. Pure."""

from dataclasses import dataclass

from connections.erp.errors import ErpError
from connections.ramp import errors as ramp
from connections.ramp.errors import RampError
from connections.ramp.file_errors import FileNotFetched
from syncing.classifier import (
    ErrorCategory,
    Origin,
    SyncFailure,
    classify,
    classify_file,
    classify_ramp,
)

SILENCE = 30.0
"""Seconds that files wait of a connection whose ERP or Ramp was silent just now."""
PATIENCE = 15 * 60.0
"""Seconds that they wait where only a person can help."""


class CannotAttach(Exception):
    """The file cannot be attached as things are. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Setback:
    """What came in the way of a file."""

    failure: SyncFailure
    counts: bool = True
    """Whether the try uses up the file's budget."""
    stops: bool = False
    """Whether no other file of the connection would fare better now."""


def judge(error: ErpError | RampError | FileNotFetched | CannotAttach, *, erp_name: str) -> Setback:
    """Judge one file's trouble. Whatever it is, the file's document stands."""
    match error:
        case ErpError():
            failure = classify(error, erp_name=erp_name)
            return Setback(
                failure, counts=not _needs_person(failure), stops=failure.stops_connection
            )
        case ramp.NotFound():
            return Setback(_gone(error))
        case ramp.RampUnreachable():
            return Setback(classify_ramp(error), stops=True)
        case (
            ramp.RampRateLimited()
            | ramp.RampUnauthorised()
            | ramp.ScopeMissing()
            | ramp.NoConnection()
        ):
            return Setback(classify_ramp(error), counts=False, stops=True)
        case RampError():
            return Setback(classify_ramp(error))
        case FileNotFetched():
            return Setback(classify_file(error))
        case CannotAttach():
            category = ErrorCategory.NEEDS_INTEGRATOR
            return Setback(SyncFailure(category, Origin.DATA, "file.cannot_attach", str(error)))


def unexpected(error: Exception) -> Setback:
    """The judgement on a bug of ours that shows with this file."""
    detail = f"{type(error).__name__}: {error}"
    return Setback(
        SyncFailure(
            ErrorCategory.NEEDS_INTEGRATOR,
            Origin.US,
            "us.bug",
            "The file could not be attached.",
            detail=detail,
        )
    )


def pause(failure: SyncFailure) -> float:
    """Seconds that all files of a connection wait which is stopped as a whole."""
    if failure.category is ErrorCategory.TRANSIENT:
        return max(SILENCE, failure.retry_after or 0)
    return PATIENCE


def _needs_person(failure: SyncFailure) -> bool:
    """The whole ERP waits for somebody, so that no file is to blame."""
    return failure.stops_connection and failure.category is not ErrorCategory.TRANSIENT


def _gone(error: RampError) -> SyncFailure:
    return SyncFailure(
        ErrorCategory.USER_ACTIONABLE,
        Origin.RAMP,
        "file.gone",
        "The receipt is no longer in Ramp.",
        "If it was removed by mistake, add it again in Ramp.",
        detail=str(error),
    )
