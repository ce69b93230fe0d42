from collections.abc import Iterator

import pytest

from connections.erp.port import ErpAdapter
from connections.erp.records import Idempotency
from tests.contract.erp_sides import LedgerSide, Papers, Side, TrytonSide
from tests.plugins.tryton import TrytonServer

SIDES = ("ledger-unique", "ledger-lookup", "tryton-bridge", "tryton-lookup")


@pytest.fixture(scope="module", params=SIDES)
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    """Each adapter in turn."""
    made = _side(request)
    yield made
    made.close()


def _side(request: pytest.FixtureRequest) -> Side:
    match request.param:
        case "ledger-unique":
            return LedgerSide(Idempotency.UNIQUE_KEY)
        case "ledger-lookup":
            return LedgerSide(Idempotency.LOOKUP)
        case "tryton-bridge":
            server: TrytonServer = request.getfixturevalue("tryton_server")
            return TrytonSide(server, "bridge")
        case _:
            server = request.getfixturevalue("tryton_server")
            return TrytonSide(server, "lookup")


@pytest.fixture
def erp(side: Side) -> ErpAdapter:
    return side.adapter


@pytest.fixture
def papers(side: Side) -> Papers:
    return Papers(side)
