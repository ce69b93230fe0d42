"""Why an object cannot become a document."""

from collections.abc import Sequence

from rampbridge.lib.money import Money


class CannotPost(Exception):
    """The object as Ramp has it makes no document. Words fit to show; no fix means it is ours."""

    code = "cannot_post"

    def __init__(self, title: str, fix: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.fix = fix


class NoCoding(CannotPost):
    """A line says nothing about its GL account, and the customer has no fallback account."""

    code = "no_coding"

    def __init__(self, line: int, of: int) -> None:
        where = f"Line {line} of {of}" if of > 1 else "This item"
        super().__init__(
            f"{where} has no GL account.",
            "Choose a category in Ramp. It then goes through by itself.",
        )


class LinesDoNotAddUp(CannotPost):
    """Header and lines differ: held with the difference shown (fault X23).

    Ramp lets nobody mark such a split ready, so the customer cannot be the one to mend it.
    """

    code = "lines_do_not_add_up"

    def __init__(self, header: Money, lines: Money) -> None:
        super().__init__(
            f"The lines add up to {lines} but the item to {header},"
            f" a difference of {header - lines}."
        )


class LinesInSeveralCurrencies(CannotPost):
    """Lines of several currencies, not all of them the header's, share it in no proportion."""

    code = "lines_in_several_currencies"

    def __init__(self, currencies: Sequence[str]) -> None:
        super().__init__(f"The lines of this item are in {' and '.join(currencies)}.")


class NothingToPost(CannotPost):
    """An amount of zero makes no journal entry."""

    code = "nothing_to_post"

    def __init__(self) -> None:
        super().__init__("The amount is zero, so there is nothing to post.")


class NoAccountingDate(CannotPost):
    """Ramp gives neither an accounting date nor a time of the purchase."""

    code = "no_date"

    def __init__(self) -> None:
        super().__init__(
            "This item has no accounting date.",
            "Set the accounting date in Ramp. It then goes through by itself.",
        )


class CreditsDoNotFit(CannotPost):
    """More vendor credit is set off against a bill than it amounts to, or in another currency."""

    code = "credits_do_not_fit"

    def __init__(self, bill: Money, set_off: Money) -> None:
        super().__init__(f"Vendor credits of {set_off} are set off against a bill of {bill}.")


class NoMerchant(CannotPost):
    """Ramp wants a vendor to be created for a transaction whose merchant it does not name."""

    code = "no_merchant"

    def __init__(self) -> None:
        super().__init__(
            "This item needs a vendor, and Ramp does not say whom the money went to.",
            "Choose a vendor in Ramp. It then goes through by itself.",
        )


class PaymentBelowBill(CannotPost):
    """Ramp calls a bill paid, with a payment that is smaller than what was owed of it."""

    code = "payment_below_bill"

    def __init__(self, owed: Money, paid: Money) -> None:
        super().__init__(
            f"Ramp calls this bill paid: {owed} were owed and {paid} were paid,"
            f" a difference of {owed - paid}."
        )


class UnexpectedSign(CannotPost):
    """An amount below zero where Ramp's contract knows only what is above it.

    Which way the money went could only be guessed.
    """

    code = "unexpected_sign"

    def __init__(self, what: str, amount: Money) -> None:
        super().__init__(f"This {what} has an amount of {amount}, which has no meaning we know.")


class UnknownValue(CannotPost):
    """Ramp says a word that this version does not know, and the document depends on it."""

    code = "unknown_value"

    def __init__(self, what: str, value: str) -> None:
        super().__init__(
            f"The {what} of this item is {spoken(value)}, which this version does not know."
            if value
            else f"This item has no {what}."
        )


def spoken(value: str) -> str:
    """A constant of Ramp's as people read it: “paid manually”."""
    return f"“{value.replace('_', ' ').lower()}”"


class CardDoesNotFitBill(CannotPost):
    """A card transaction pays a bill with another amount than is owed, or in another currency."""

    code = "card_does_not_fit_bill"

    def __init__(self, paid: Money, owed: Money) -> None:
        differs = (
            f"a difference of {paid - owed}"
            if paid.currency == owed.currency
            else "and how much of it that settles Ramp does not say"
        )
        super().__init__(f"The card paid {paid} of a bill of which {owed} is owed, {differs}.")


class CardPaysSeveral(CannotPost):
    """Several cards pay several bills together, or bills of several vendors or entities."""

    code = "card_pays_several"

    def __init__(self) -> None:
        super().__init__(
            "The card pays bills of several vendors or entities, or together with other cards,"
            " and Ramp does not say how much of each."
        )


class PaysUnknownBill(CannotPost):
    """A card transaction pays a bill that never came to us; coded as an expense it would double
    it."""

    code = "pays_unknown_bill"

    def __init__(self) -> None:
        super().__init__(
            "The card pays a bill that was not posted by rampbridge,"
            " and Ramp does not say what the ERP calls it."
        )


class TransferNotDue(CannotPost):
    """A transfer that is on its way, failed or came back makes no entry."""

    code = "transfer_not_due"


class PaymentNotDue(CannotPost):
    """A bill's payment of which the ERP gets no document, or not yet, or not without a person."""

    code = "payment_not_due"


class BillNotNamed(CannotPost):
    """Somebody else put the bill into the ERP, and Ramp does not say under which id."""

    code = "bill_not_named"

    def __init__(self) -> None:
        super().__init__(
            "The bill of this payment was not posted by rampbridge,"
            " and Ramp does not say where it is in the ERP."
        )


class TaxDoesNotFit(CannotPost):
    """No net amount and its tax, both to the cent, make up a line's gross amount."""

    code = "tax_does_not_fit"

    def __init__(self, gross: Money, nearest: Money, rate: str) -> None:
        super().__init__(
            f"At a tax of {rate} no net amount makes {gross}; the nearest makes {nearest},"
            f" a difference of {gross - nearest}."
        )


class TaxBelowZero(CannotPost):
    """A tax with a part below zero, as where the buyer owes it: only a bill has a place for it.

    In a journal entry it would stand on both sides, which then are not what was paid.
    """

    code = "tax_below_zero"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The tax code {name} has a part below zero, which a journal entry has no place for.",
            "Choose another tax code in Ramp. It then goes through by itself.",
        )
