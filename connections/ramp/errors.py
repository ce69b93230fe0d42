"""What can go wrong between us and Ramp. Facts: `syncing.classifier` says whose problem they are.

RampError                    status, code, message and Ramp's trace id
├── RampUnreachable          no answer we can use, and nothing was changed
│   └── OutcomeUnknown       ... except that this change may have been carried out: read again
├── RampRateLimited          not carried out; retry_after
├── RampUnauthorised         the credentials, or a token just minted with them, are refused
├── ScopeMissing             the token is good but lacks scopes
├── Forbidden                403 for any other reason
├── NotFound                 the object does not exist, or not for this business
├── NoSuchEndpoint           the path does not exist: our mistake, or a feature not switched on
├── NotReadyForSync          7062: some ids of a batch, nothing of it was stored
├── KeyAlreadyUsed           7005: whatever was sent under this key before, this was not
├── NoConnection             7089: the business has no API accounting connection
├── InvalidRequest           400, 409 or 422: Ramp will never take this as it is; fields
└── SchemaSurprise           the answer is not as the contract says
    ├── ForeignAddress       it points to another host than the configured one
    └── AnswerTooLarge
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta


class RampError(Exception):
    """A call to Ramp did not do what was asked."""

    def __init__(
        self, message: str, *, status: int = 0, code: str = "", trace_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        """HTTP status; 0 if there was no answer."""
        self.code = code
        """Ramp's own code, such as DEVELOPER_7062; may be empty."""
        self.trace_id = trace_id
        """What Ramp's support finds the request by."""

    def __str__(self) -> str:
        facts = [
            f"HTTP {self.status}" if self.status else "",
            self.code,
            f"trace {self.trace_id}" if self.trace_id else "",
        ]
        known = ", ".join(fact for fact in facts if fact)
        return f"{self.message} ({known})" if known else self.message


class RampUnreachable(RampError):
    """Ramp did not answer usefully, and nothing was changed: not sent, or only a read."""


class OutcomeUnknown(RampUnreachable):
    """A change was sent and its answer is lost. It may be in force: read before sending again."""


class RampRateLimited(RampError):
    """Too many requests from our address. This one was not carried out."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: timedelta,
        status: int = 0,
        code: str = "",
        trace_id: str = "",
    ) -> None:
        super().__init__(message, status=status, code=code, trace_id=trace_id)
        self.retry_after = retry_after


class RampUnauthorised(RampError):
    """Ramp refuses the client's id and secret, or a token it has only just given out."""


class ScopeMissing(RampError):
    """The app was not granted these scopes."""

    def __init__(
        self,
        message: str,
        *,
        scopes: Sequence[str],
        status: int = 0,
        code: str = "",
        trace_id: str = "",
    ) -> None:
        super().__init__(message, status=status, code=code, trace_id=trace_id)
        self.scopes = tuple(scopes)


class Forbidden(RampError):
    """Ramp understood and will not, whatever the scopes."""


class NotFound(RampError):
    """No such object in this business."""


class NoSuchEndpoint(RampError):
    """Ramp has no such path. Says nothing about the object that was asked for."""


class NotReadyForSync(RampError):
    """Nothing of the batch was stored, because of these ids.

    Not ready, and synced already, look the same here: only reading each one again tells which.
    """

    def __init__(
        self,
        message: str,
        *,
        ids: Sequence[str],
        status: int = 0,
        code: str = "",
        trace_id: str = "",
    ) -> None:
        super().__init__(message, status=status, code=code, trace_id=trace_id)
        self.ids = tuple(ids)


class KeyAlreadyUsed(RampError):
    """The idempotency key was seen before. Whether its batch was stored must be read back."""


class NoConnection(RampError):
    """The business has no accounting connection of the API kind."""


class InvalidRequest(RampError):
    """Ramp refuses the request for good; `fields` says what is wrong where."""

    def __init__(
        self,
        message: str,
        *,
        fields: Mapping[str, object] | None = None,
        status: int = 0,
        code: str = "",
        trace_id: str = "",
    ) -> None:
        super().__init__(message, status=status, code=code, trace_id=trace_id)
        self.fields = dict(fields or {})


class SchemaSurprise(RampError):
    """The answer is not what the contract says. A change that was asked for has been made."""


class ForeignAddress(SchemaSurprise):
    """An address leads to another host than the one we are configured for. Nothing went there."""


class AnswerTooLarge(SchemaSurprise):
    """The answer is longer than any the contract allows, and was not read to its end."""
