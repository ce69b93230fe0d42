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
