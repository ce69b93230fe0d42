"""What a login may do, and when periods begin: asked of the ERP, live against Tryton too."""

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.periods import TellsPeriods
from connections.erp.port import ErpAdapter
from connections.erp.rights import TellsRights


def test_a_login_that_posts_may_do_all_that_posting_takes(erp: ErpAdapter) -> None:
    assert isinstance(erp, TellsRights)

    rights = erp.rights()

    assert rights.login
    assert rights.refused == []
    assert {"post journal entries", "enter bills", "pay bills", "create vendors"} <= set(rights.may)


def test_periods_begin_in_order(erp: ErpAdapter) -> None:
    assert isinstance(erp, TellsPeriods)

    starts = list(erp.period_starts())

    assert starts == sorted(starts)
    assert starts or isinstance(erp, InMemoryErp)
