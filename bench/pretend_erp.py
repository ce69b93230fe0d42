"""An ERP on the other end of HTTP that takes one document per request, as most ERPs do.

As a program it serves the books; as a module it is the adapter that the real code posts with. It
refuses nothing and books at once, or after as long as it is told to take, so what is measured is
what we do and not what an ERP does.
"""

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.http import client_for
from connections.erp.records import Document, Posted, State
from connections.ramp_simulator.server import Server

KIND = "pretend"
DOCUMENTS = "/documents"
TOKEN = "/token"
"""A new one for whoever asks; nobody needs it here."""
PACE = "/pace"
"""Tells it how many seconds to take over each call from now on."""
CALLS = "calls"
"""The setting of how many calls a customer's ERP takes at a time, if not what the demo's takes."""
_TIMEOUT = httpx.Timeout(30)


class PretendErp(InMemoryErp):
    """The demo chart in memory, the documents over HTTP. For runs in which no answer is lost."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__()
        self._http = client_for(settings["url"], _TIMEOUT, adapter="pretend")
        if CALLS in settings:
            calls = int(settings[CALLS])
            self._capabilities = replace(self._capabilities, batch=1, concurrency=calls)

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted]:
        return [self.post(doc) for doc in docs]

    def post(self, doc: Document) -> Posted:
        answer = self._http.post(DOCUMENTS, json=doc.to_json())
        answer.raise_for_status()
        booked = answer.json()
        return Posted(doc.ref, booked["id"], booked["number"], State.POSTED, fresh=booked["fresh"])


class Books:
    """All that was booked, by its reference, and how often anything was asked."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._calls = 0
        self._seconds = 0.0

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = self._answer(environ) if environ["REQUEST_METHOD"] == "POST" else self._counts()
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> dict[str, Any]:
        asked = environ["wsgi.input"].read()
        if environ["PATH_INFO"] == PACE:
            self._seconds = json.loads(asked)
            return {}
        self._calls += 1
        time.sleep(self._seconds)
        return {} if environ["PATH_INFO"] == TOKEN else self._book(json.loads(asked))

    def _book(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        ref = doc["ref"]["ramp_id"]
        fresh = ref not in self._numbers
        number = self._numbers.setdefault(ref, len(self._numbers) + 1)
        return {"id": str(number), "number": f"DOC-{number:06}", "fresh": fresh}

    def _counts(self) -> dict[str, Any]:
        return {"calls": self._calls, "documents": len(self._numbers)}


def serve(port: int) -> None:
    Server("127.0.0.1", port, Books().wsgi).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
