"""The calls that all records of a chart have in common, and what an upload gives back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from connections.ramp.api import Answer, Api, segment
from connections.ramp.errors import NotFound, SchemaSurprise
from connections.ramp.schemas import Reference, decode

Record = TypeVar("Record", bound=Reference)


@dataclass(frozen=True, slots=True)
class Taken(Generic[Record]):
    """An upload that Ramp took: its records with Ramp's ids, and what its support finds it by."""

    rows: list[Record]
    trace_id: str


class ChartCalls:
    """What every part of the chart is built of.

    :param connection_id: the inactive connection meant by every call; None means the active one
    """

    def __init__(self, api: Api, *, connection_id: UUID | None = None) -> None:
        self._api = api
        self._scope = {"accounting_connection_id": str(connection_id)} if connection_id else {}

    def _list(self, path: str, model: type[Record], filters: Mapping[str, Any]) -> Iterator[Record]:
        start = filters.get("start")
        others = {name: value for name, value in filters.items() if name != "start"}
        return self._api.everything(path, model, {**others, **self._scope}, start=start)

    def _get(self, path: str, ramp_id: UUID, model: type[Record]) -> Record:
        answer = self._api.call("GET", f"{path}/{segment(ramp_id)}", params=self._scope)
        return answer.read(model)

    def _only(self, path: str, model: type[Record]) -> Record | None:
        """The one record at an address without an id. There being none is no error.

        Ramp says so with 404, and of connections also with an empty object (contract 3).
        """
        try:
            answer = self._api.call("GET", path, params=self._scope)
        except NotFound:
            return None
        with answer.blamed():
            document = decode(answer.body)
            return None if document in (None, {}) else model.read(document)

    def _create(self, path: str, model: type[Record], record: Mapping[str, Any]) -> Record:
        return self._api.call("POST", path, body={**record, **self._scope}).read(model)

    def _upload(
        self,
        path: str,
        key: str,
        model: type[Record],
        records: Sequence[Mapping[str, Any]],
        more: Mapping[str, str] | None = None,
    ) -> Taken[Record]:
        body = {key: list(records), **(more or {}), **self._scope}
        answer = self._api.call("POST", path, body=body)
        with answer.blamed():
            return Taken(_rows(answer, key, model), answer.trace_id)

    def _patch(
        self, path: str, ramp_id: UUID, model: type[Record], changes: Mapping[str, Any]
    ) -> Record:
        return self._api.call("PATCH", f"{path}/{segment(ramp_id)}", body=changes).read(model)

    def _patch_only(self, path: str, model: type[Record], changes: Mapping[str, Any]) -> Record:
        return self._api.call("PATCH", path, body={**changes, **self._scope}).read(model)

    def _delete(self, path: str, ramp_id: UUID) -> None:
        self._delete_only(f"{path}/{segment(ramp_id)}")

    def _delete_only(self, path: str) -> None:
        self._api.call("DELETE", path, body=self._scope)


def _rows(answer: Answer, key: str, model: type[Record]) -> list[Record]:
    document = decode(answer.body)
    rows = document.get(key) if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise SchemaSurprise(f"The answer to an upload has no list called {key}.")
    return [model.read(row) for row in rows]
