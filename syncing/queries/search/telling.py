"""What a search tells in words: why each item stands where it does, and what was looked for."""

from syncing.queries.items import ItemRow
from syncing.queries.search.asked import Amount, Asked, Reading
from syncing.queries.words import Word


def why(row: ItemRow) -> str:
    """Why an item stands where it does, in one line."""
    item = row.item
    if row.is_open and item.error_title:
        return item.error_title
    if row.word == Word.DONE and item.erp_number:
        return f"In {item.connection.erp_name} as {item.erp_number}, and Ramp has its number."
    if row.is_waiting:
        return "Waits for something else to happen first."
    return row.look.meaning


def tried(asked: Asked) -> list[str]:
    """What a text was looked for as, for whoever found nothing by it."""
    if asked.ramp_id:
        return [f"an object with Ramp's id {asked.ramp_id}"]
    ways = []
    if asked.item_id is not None:
        ways.append("one of our references")
    if asked.words:
        ways.append("an invoice number, or a document's number or id in an ERP")
        ways += [_as_read(one) for one in asked.readings if not one.is_of_words_alone]
        ways.append("words of a merchant, a memo or a person, each from its start")
        ways.append("a customer's name, also beside other words")
        ways.append("words of an error")
    return ways


def _as_read(reading: Reading) -> str:
    parts = []
    if reading.amount:
        parts.append(f"an amount of {_figures(reading.amount)}")
    if reading.card:
        parts.append(f"a card that ends in {reading.card}")
    if reading.day:
        parts.append(f"the accounting date {reading.day:%-d %B %Y}")
    if reading.words:
        parts.append(f"the words “{' '.join(reading.words)}”")
    return " with ".join(parts)


def _figures(amount: Amount) -> str:
    figures = " or ".join(str(figure) for figure in amount.figures)
    return f"{figures} {amount.currency}" if amount.currency else f"{figures} in any currency"
