"""Every call to somebody else is counted, timed and traced here, whatever becomes of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from rampbridge.lib import tracing

Counting = Callable[[str, float], None]
"""Takes what came back, a status or a word, and the seconds that it took."""


@dataclass(slots=True)
class Call:
    """A call under way."""

    response: httpx.Response | None = None


@contextmanager
def watched(request: httpx.Request, name: str, count: Counting) -> Iterator[Call]:
    """Count, time and trace what happens inside. The block says what the answer was, if any came.

    :param name: of the kind of call, in few words and without ids
    """
    call = Call()
    about = {"http.request.method": request.method, "server.address": request.url.host}
    began = time.monotonic()
    with tracing.span(name, "client", about) as span:
        tracing.tell(request.headers)
        said = "error"
        try:
            yield call
            if call.response is not None:
                said = str(call.response.status_code)
        except httpx.TimeoutException:
            said = "timeout"
            raise
        except httpx.HTTPError:
            said = "unreachable"
            raise
        finally:
            count(said, time.monotonic() - began)
            if span is not None and call.response is not None:
                span.set_attribute("http.response.status_code", call.response.status_code)


def class_of(said: str) -> str:
    """Of a status only its class, such as 2xx; a word stays as it is."""
    return f"{said[0]}xx" if said.isdecimal() else said
