"""Our module inside Tryton, called as anyone may call it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connections.erp.adapters.tryton.catalogue import Catalogue
from connections.erp.adapters.tryton.rpc import TIMEOUT, Account, TrytonRpc
from connections.erp.errors import Code, ErpError
from tests.plugins.tryton import TrytonServer

TODAY = datetime.now(UTC).date()
POST = "model.account.move.bridge_post"


class Company:
    def __init__(self, server: TrytonServer, http: httpx.Client) -> None:
        self.server = server
        self.http = http
        self.rpc = TrytonRpc(Account(**server.settings("bridge")), http)
        self.admin = TrytonRpc(Account(**server.admin_settings("bridge")), http)
        self.company = Catalogue(self.rpc).company()
        self.period = Catalogue(self.rpc).open_period(TODAY).id
        self.accounts = {
            row["code"]: row["id"] for row in self.rpc.read("account.account", [], ["code"])
        }

    def document(self, ref: str, *, credit: str = "1.00", fingerprint: str = "f") -> dict[str, Any]:
        lines = [
            {"account": self.accounts["6100"], "debit": Decimal("1.00"), "credit": 0},
            {"account": self.accounts["2150"], "debit": 0, "credit": Decimal(credit)},
        ]
        values = {
            "company": self.company.id,
            "journal": self.company.journals["general"],
            "period": self.period,
            "date": TODAY,
            "lines": [["create", lines]],
        }
        return {"ref": f"addon-{ref}", "fingerprint": fingerprint, "values": values}

    def moves(self, ref: str) -> list[dict[str, Any]]:
        domain = [["external_ref", "like", f"addon-{ref}%"]]
        return self.rpc.read("account.move", domain, ["external_ref", "state", "number"])

    def as_new_user(self, login: str) -> TrytonRpc:
        """Somebody who may sign in and nothing else."""
        values = {
            "name": login,
            "login": login,
            "password": "a long enough password",
            "companies": [["add", [self.company.id]]],
            "company": self.company.id,
        }
        self.admin.call("model.res.user.create", [values])
        settings = self.server.settings("bridge")
        return TrytonRpc(
            Account(**settings | {"login": login, "password": "a long enough password"}), self.http
        )


@pytest.fixture(scope="module")
def company(tryton_server: TrytonServer) -> Iterator[Company]:
    with httpx.Client(base_url=tryton_server.url, timeout=TIMEOUT) as http:
        yield Company(tryton_server, http)


class TestBridgePost:
    def test_answers_with_what_it_has_posted(self, company: Company) -> None:
        (answer,) = company.rpc.call(POST, [company.document("a")])

        assert answer["created"]
        assert (answer["state"], answer["total"]) == ("posted", Decimal("1.00"))
        assert answer["number"] == company.moves("a")[0]["number"]

    def test_gives_the_same_answer_again(self, company: Company) -> None:
        first, second = (company.rpc.call(POST, [company.document("b")])[0] for _ in range(2))

        assert second == first | {"created": False}
        assert len(company.moves("b")) == 1

    def test_refuses_other_content_under_a_known_reference(self, company: Company) -> None:
        company.rpc.call(POST, [company.document("c")])

        (answer,) = company.rpc.call(POST, [company.document("c", fingerprint="g")])

        assert answer["refused"]["types"][0] == "ReferenceReusedError"
        assert len(company.moves("c")) == 1

    def test_leaves_nothing_behind_of_what_it_refuses(self, company: Company) -> None:
        documents = [
            company.document(f"d{number}", credit="2.00" if number in (1, 4) else "1.00")
            for number in range(6)
        ]

        answers = company.rpc.call(POST, documents)

        assert [answer.get("state", "refused") for answer in answers] == [
            "posted",
            "refused",
            "posted",
            "posted",
            "refused",
            "posted",
        ]
        moves = company.moves("d")
        assert {move["external_ref"] for move in moves} == {f"addon-d{n}" for n in (0, 2, 3, 5)}
        assert {move["state"] for move in moves} == {"posted"}

    def test_leaves_no_gap_in_the_numbers(self, company: Company) -> None:
        bad = company.document("e1", credit="2.00")

        answers = company.rpc.call(POST, [company.document("e0"), bad, company.document("e2")])

        first, last = (int(answers[index]["number"].split("-")[1]) for index in (0, 2))
        assert last == first + 1

    def test_takes_a_reference_only_once_per_call(self, company: Company) -> None:
        with pytest.raises(ErpError) as caught:
            company.rpc.call(POST, [company.document("f"), company.document("f")])

        assert "twice in one call" in caught.value.erp_message
        assert company.moves("f") == []

    def test_is_not_for_everyone(self, company: Company) -> None:
        visitor = company.as_new_user("visitor")

        (answer,) = visitor.call(POST, [company.document("g")])

        assert "not allowed" in answer["refused"]["message"]
        assert company.moves("g") == []


class TestReferences:
    def test_are_not_copied(self, company: Company) -> None:
        (answer,) = company.rpc.call(POST, [company.document("h")])

        (copy,) = company.rpc.call("model.account.move.copy", [answer["id"]], {})

        (row,) = company.rpc.read(
            "account.move", [["id", "=", copy]], ["external_ref", "external_fingerprint"]
        )
        assert (row["external_ref"], row["external_fingerprint"]) == (None, None)
        company.rpc.call("model.account.move.delete", [copy])

    def test_are_unique_for_everyone(self, company: Company) -> None:
        company.rpc.call(POST, [company.document("i")])
        values = company.document("i")["values"] | {"external_ref": "addon-i"}

        with pytest.raises(ErpError) as caught:
            company.admin.call("model.account.move.create", [values])

        assert caught.value.code == Code.REF_REUSED


class TestPeriods:
    def test_reopen_with_the_journals_that_they_closed(self, company: Company) -> None:
        day = TODAY.replace(year=TODAY.year - 1, month=6, day=10)
        period = Catalogue(company.rpc).open_period(day).id
        for journal in ("general", "cash"):
            document = company.document(f"j-{journal}")
            document["values"] |= {
                "journal": company.company.journals[journal],
                "period": period,
                "date": day,
            }
            company.rpc.call(POST, [document])
        cash = company.admin.read(
            "account.journal.period",
            [["period", "=", period], ["journal.type", "=", "cash"]],
            [],
        )[0]["id"]
        company.admin.call("model.account.journal.period.close", [cash])

        company.admin.call("model.account.period.close", [period])
        company.admin.call("model.account.period.reopen", [period])

        states = {
            row["journal."]["type"]: row["state"]
            for row in company.admin.read(
                "account.journal.period", [["period", "=", period]], ["journal.type", "state"]
            )
        }
        assert states == {"general": "open", "cash": "closed"}
