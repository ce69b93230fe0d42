"""What every posting needs to know of a Tryton company, kept for a while: ids, periods, rates."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connections.erp.adapters.tryton.errors import ERP
from connections.erp.adapters.tryton.rpc import TrytonRpc
from connections.erp.errors import Code, ErpError
from connections.erp.refusals import refusal, spoken

KEEP = 600.0
"""Seconds. Ids hardly ever change."""
KEEP_PERIODS = 60.0
"""Seconds. Periods are closed and reopened by people; a miss reads them again at once."""


@dataclass(frozen=True, slots=True)
class Currency:
    id: int
    code: str
    digits: int


@dataclass(frozen=True, slots=True)
class Period:
    id: int
    name: str
    start: date
    end: date
    open: bool


@dataclass(frozen=True, slots=True)
class Company:
    """What does not change from one document to the next."""

    id: int
    name: str
    currency: Currency
    currencies: Mapping[str, Currency]
    journals: Mapping[str, int]
    """The journal we post to, by type: general, expense, cash ..."""
    dimensions: Mapping[str, str]
    """Name of each analytic root, by id."""
    payable_account: int | None
    """Of vendors that have none of their own."""
    has_bridge: bool
    """Whether our add-on is there, and to be used."""


class Catalogue:
    """The company that one connection works in. Threads share it."""

    def __init__(
        self,
        rpc: TrytonRpc,
        *,
        use_bridge: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rpc = rpc
        self._use_bridge = use_bridge
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._company: tuple[float, Company] | None = None
        self._periods: tuple[float, Sequence[Period]] | None = None
        self._rates: dict[tuple[int, date], tuple[float, Decimal]] = {}

    def company(self) -> Company:
        """The company of the user who is signed in."""
        with self._lock:
            if self._company is None or self._is_old(self._company[0], KEEP):
                self._company = (self._monotonic(), self._read_company())
            return self._company[1]

    def periods(self, *, fresh: bool = False) -> Sequence[Period]:
        """All ordinary periods, by start."""
        with self._lock:
            if fresh or self._periods is None or self._is_old(self._periods[0], KEEP_PERIODS):
                self._periods = (self._monotonic(), self._read_periods())
            return self._periods[1]

    def open_period(self, day: date, *, fresh: bool = False) -> Period:
        """The open period of a day.

        :raises ErpError: PERIOD_CLOSED, after having asked Tryton just now
        """
        period = _covering(self.periods(fresh=fresh), day)
        if period is None and not fresh:
            period = _covering(self.periods(fresh=True), day)
        if period is None:
            raise period_closed(day)
        return period

    def currency(self, code: str) -> Currency:
        """:raises ErpError: EXCHANGE_RATE_MISSING if Tryton does not know the currency"""
        try:
            return self.company().currencies[code]
        except KeyError as error:
            raise refusal(Code.EXCHANGE_RATE_MISSING, erp=ERP, what=f"{code}") from error

    def rate(self, currency: Currency, day: date) -> Decimal:
        """Units of the company's currency for one unit of another, by Tryton's own rates.

        :raises ErpError: EXCHANGE_RATE_MISSING
        """
        company = self.company().currency
        own, foreign = self._rate(company, day), self._rate(currency, day)
        return own / foreign

    def _rate(self, currency: Currency, day: date) -> Decimal:
        key = (currency.id, day)
        with self._lock:
            known = self._rates.get(key)
        if known is None or self._is_old(known[0], KEEP_PERIODS):
            known = (self._monotonic(), self._read_rate(currency, day))
            with self._lock:
                self._rates[key] = known
        return known[1]

    def _read_rate(self, currency: Currency, day: date) -> Decimal:
        rows = self._rpc.read(
            "currency.currency.rate",
            [["currency", "=", currency.id], ["date", "<=", day]],
            ["rate"],
            limit=1,
            order=[["date", "DESC"]],
        )
        if not rows or not rows[0]["rate"]:
            what = f"{currency.code} on {spoken(day)}"
            raise refusal(Code.EXCHANGE_RATE_MISSING, erp=ERP, what=what)
        return Decimal(rows[0]["rate"])

    def _is_old(self, read_at: float, keep: float) -> bool:
        return self._monotonic() - read_at > keep

    def _read_company(self) -> Company:
        company_id = self._rpc.session().context.get("company")
        if company_id is None:
            raise refusal(
                Code.FORBIDDEN, erp=ERP, what=": it has no company set in its preferences"
            )
        row = self._rpc.read(
            "company.company", [["id", "=", company_id]], ["currency", "party.rec_name"]
        )[0]
        currencies = self._read_currencies()
        by_id = {currency.id: currency for currency in currencies.values()}
        return Company(
            id=company_id,
            name=row["party."]["rec_name"],
            currency=by_id[row["currency"]],
            currencies=currencies,
            journals=self._read_journals(),
            dimensions=self._read_dimensions(company_id),
            payable_account=self._read_payable_account(),
            has_bridge=self._use_bridge and self._has_bridge(),
        )

    def _read_currencies(self) -> dict[str, Currency]:
        rows = self._rpc.read("currency.currency", [], ["code", "digits"])
        return {row["code"]: Currency(row["id"], row["code"], row["digits"]) for row in rows}

    def _read_journals(self) -> dict[str, int]:
        rows = self._rpc.read("account.journal", [], ["code", "type"])
        rows.sort(key=_journal_rank, reverse=True)  # the best of a type comes last, and stays
        return {row["type"]: row["id"] for row in rows}

    def _read_dimensions(self, company_id: int) -> dict[str, str]:
        try:
            rows = self._rpc.read(
                "analytic_account.account",
                [["type", "=", "root"], ["company", "=", company_id]],
                ["name"],
            )
        except ErpError as error:
            if error.code != Code.REJECTED_PAYLOAD:
                raise
            return {}  # the module for analytic accounting is not active
        return {str(row["id"]): row["name"] for row in rows}

    def _read_payable_account(self) -> int | None:
        row = self._rpc.call("model.account.configuration.read", [1], ["default_account_payable"])[
            0
        ]
        account: int | None = row["default_account_payable"]
        return account

    def _has_bridge(self) -> bool:
        # Every user may ask for a field. For one that is not there Tryton answers with nothing.
        return bool(self._rpc.call("model.account.move.fields_get", ["external_fingerprint"]))

    def _read_periods(self) -> Sequence[Period]:
        rows = self._rpc.read(
            "account.period",
            [["type", "=", "standard"]],
            ["name", "start_date", "end_date", "state"],
            order=[["start_date", "ASC"]],
        )
        return [_period(row) for row in rows]


def _journal_rank(row: Mapping[str, Any]) -> tuple[bool, bool, int]:
    """A journal made for us comes first, then Tryton's own for everything else, not the stock's."""
    return row["code"] != "RAMP", row["code"] != "MISC", row["id"]


def period_closed(day: date) -> ErpError:
    return refusal(Code.PERIOD_CLOSED, erp=ERP, what=spoken(day), erp_code="period")


def _period(row: Mapping[str, Any]) -> Period:
    return Period(
        id=row["id"],
        name=row["name"],
        start=row["start_date"],
        end=row["end_date"],
        open=row["state"] == "open",
    )


def _covering(periods: Sequence[Period], day: date) -> Period | None:
    for period in periods:
        if period.open and period.start <= day <= period.end:
            return period
    return None
