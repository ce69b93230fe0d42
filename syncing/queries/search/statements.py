# ruff: noqa: S608  all pieces are constants of this file, and all values parameters
"""The one statement that looks up all readings of a text, each way bounded for itself.

Every way takes its candidates from an index, newest first, and never more than `CANDIDATES`: a
word, an amount or a day that half of ten million items have costs as much as a rare one. What is
common and old is found by rarer words: if the newest of a day have too few with a merchant, the
merchant's items are looked through for the day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from syncing.queries.search import names
from syncing.queries.search.asked import Amount, Asked, Reading

CANDIDATES = 20_000
"""Rows that one way looks at."""
LOOKED_INTO = 1_000
"""Rows that one way looks at the words of, which are apart: each costs ten times as much."""
_EXPONENTS = (0, 2, 3)
_MOST_TOKENS = 3
_MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search is narrowed to. Nothing given is everything."""

    connection_id: UUID | None = None
    object_type: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A customer whose name has some of the words, and the words that are left."""

    connection_id: UUID
    words: Sequence[str]


@dataclass(slots=True)
class Statement:
    """SQL with its parameters; rows of it are a way's name and an item's id."""

    sql: str
    params: dict[str, Any]


def statement(asked: Asked, scope: Scope, named: Sequence[Named], most: int) -> Statement:
    """All ways to find what was asked, the surest first; `most` items of each way."""
    maker = _Maker(scope, most)
    ways = list(maker.ways(asked, named))
    sql = "\nUNION ALL\n".join(
        f"SELECT {place}, '{name}', id FROM ({way}) AS way_{place}"
        for place, (name, way) in enumerate(ways)
    )
    return Statement(maker.shared() + sql, maker.params)


@dataclass(frozen=True, slots=True)
class _Rarer:
    """What is looked up of a reading's words beside the newest of its amount, card or day."""

    number: int

    @property
    def is_asked(self) -> str:
        """Whether the newest are too few to go by, although there are older ones."""
        return (
            f"(SELECT count(*) FROM newest_{self.number}) < %(most)s"
            f" AND (SELECT count(*) FROM candidates_{self.number}) >= %(looked_into)s"
        )

    @property
    def has_all(self) -> str:
        """Whether it holds every item with these words."""
        return f"{self.is_asked} AND (SELECT count(*) FROM rarer_{self.number}) < %(looked_into)s"


class _Maker:
    def __init__(self, scope: Scope, most: int) -> None:
        self._scope = scope
        self.params: dict[str, Any] = {
            "most": most, "candidates": CANDIDATES, "looked_into": LOOKED_INTO,
        }  # fmt: skip
        if scope.connection_id:
            self.params["connection"] = scope.connection_id
        if scope.object_type:
            self.params["type"] = scope.object_type
        self._shared: list[str] = []
        self._rarer: list[_Rarer] = []

    def shared(self) -> str:
        """What several ways read, before them."""
        return f"WITH {', '.join(self._shared)} " if self._shared else ""

    def ways(self, asked: Asked, named: Sequence[Named]) -> Iterator[tuple[str, str]]:
        if asked.ramp_id:
            yield "ramp_id", self._where(f"ramp_id = {self._take(asked.ramp_id)}")
            return
        if asked.item_id is not None:
            yield "reference", self._where(f"id = {self._take(asked.item_id)}")
        words = asked.words
        if not words:
            return
        yield from self._numbers(asked.text)
        for token in _tokens(words) if len(words) > 1 else ():
            rest = [word for word in words if word != token]
            yield "number_and_words", self._number_and(token, rest)
        for reading in asked.readings:
            fits = reading.amount is None or _minors(reading.amount)
            if fits and not reading.is_of_words_alone:
                yield _title_of(reading), self._driven(reading)
        yield from self._prefixes(asked.text)
        if named:
            yield "customer_and_words", self._of_customers(named)
        yield "words", self._words(words)

    def _take(self, value: object) -> str:
        """A parameter's place for a value."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"

    @property
    def _scoped(self) -> str:
        """The scope as a condition of rows of items."""
        parts = ["true"]
        if self._scope.connection_id:
            parts.append("connection_id = %(connection)s")
        if self._scope.object_type:
            parts.append("object_type = %(type)s")
        return " AND ".join(parts)

    def _where(self, condition: str) -> str:
        """By what few items share, so that all of them are read before they are put in order.

        To have them in order at once the planner would rather walk through all items there are.
        """
        return (
            "SELECT id FROM (SELECT id FROM syncing_syncitem"
            f" WHERE {condition} AND {self._scoped} LIMIT %(candidates)s) AS few"
            " ORDER BY id DESC LIMIT %(most)s"
        )

    def _numbers(self, text: str) -> Iterator[tuple[str, str]]:
        whole = self._take(text.lower())
        yield "invoice", self._where(f"lower(invoice_number) = {whole} AND invoice_number <> ''")
        yield "erp_number", self._where(f"lower(erp_number) = {whole} AND erp_number <> ''")
        if " " not in text:
            yield "erp_id", self._where(f"erp_id = {self._take(text)} AND erp_id <> ''")

    def _prefixes(self, text: str) -> Iterator[tuple[str, str]]:
        """Numbers that begin so, in their order. What has no figure is more likely a name."""
        if len(text) < 3 or not any(letter.isdigit() for letter in text):
            return
        start = self._take(names.escaped(text.lower()) + "%")
        for way, column in (("invoice_start", "invoice_number"), ("erp_start", "erp_number")):
            yield (
                way,
                (
                    f"SELECT id FROM syncing_syncitem"
                    f" WHERE lower({column}) LIKE {start} AND {column} <> '' AND {self._scoped}"
                    f" ORDER BY lower({column}) USING ~<~, id DESC LIMIT %(most)s"
                ),
            )

    def _number_and(self, token: str, rest: Sequence[str]) -> str:
        whole = self._take(token.lower())
        numbered = " UNION ".join(
            f"(SELECT id, connection_id FROM syncing_syncitem WHERE lower({column}) = {whole}"
            f" AND {column} <> '' AND {self._scoped} LIMIT %(looked_into)s)"
            for column in ("invoice_number", "erp_number")
        )
        return self._with_words(f"({numbered}) AS i", rest)

    def _driven(self, reading: Reading) -> str:
        """By an amount, a card or a day; what else the reading says must be so too."""
        conditions = [self._scoped]
        if reading.day:
            conditions.append(f"accounting_date = {self._take(reading.day)}")
        if reading.card:
            conditions.append(f"card_last_four = {self._take(reading.card)}")
            conditions.append("card_last_four <> ''")
        if reading.amount is None:
            source = self._newest(conditions, reading)
            return self._among(source, conditions, reading.words)
        if reading.amount.currency:
            conditions.append(f"currency = {self._take(reading.amount.currency)}")
        minors, exponents = zip(*_minors(reading.amount), strict=True)
        amounts = (
            f"unnest({self._take(list(minors))}::bigint[], {self._take(list(exponents))}::int[])"
            " AS a(minor, exponent)"
        )
        of_each = [*conditions, "amount_minor = a.minor AND exponent = a.exponent"]
        newest = self._newest(of_each, reading)
        source = f"SELECT i.* FROM {amounts} CROSS JOIN LATERAL ({newest}) AS i"
        whole = f"(amount_minor, exponent) IN (SELECT minor, exponent FROM {amounts})"
        return self._among(source, [*conditions, whole], reading.words)

    @staticmethod
    def _newest(conditions: Sequence[str], reading: Reading) -> str:
        most = "looked_into" if reading.words else "most"
        return (
            f"SELECT id, connection_id FROM syncing_syncitem WHERE {' AND '.join(conditions)}"
            f" ORDER BY id DESC LIMIT %({most})s"
        )

    def _among(self, source: str, conditions: Sequence[str], words: Sequence[str]) -> str:
        """Of these items those with the words; of more than are looked into, the words' items."""
        if not words:
            return self._with_words(f"({source}) AS i", words)
        whole = f"to_tsquery('simple', {self._take(query_of(words[:_MOST_WORDS], begun=0))})"
        rarer = _Rarer(len(self._rarer))
        candidates, newest = f"candidates_{rarer.number}", f"newest_{rarer.number}"
        self._rarer.append(rarer)
        self._shared += [
            f"{candidates} AS MATERIALIZED (SELECT * FROM ({source}) AS s"
            " ORDER BY id DESC LIMIT %(looked_into)s)",
            f"{newest} AS MATERIALIZED ({self._with_words(f'{candidates} AS i', words)})",
            f"rarer_{rarer.number} AS MATERIALIZED (SELECT item_id, words FROM syncing_itemwords"
            f" WHERE words @@ {whole} AND {rarer.is_asked} LIMIT %(looked_into)s)",
        ]
        return (
            f"SELECT id FROM (SELECT id FROM {newest} UNION"
            f" SELECT i.id FROM rarer_{rarer.number} AS w"
            f" JOIN syncing_syncitem i ON i.id = w.item_id WHERE {' AND '.join(conditions)}"
            ") AS found ORDER BY id DESC LIMIT %(most)s"
        )

    def _with_words(self, source: str, words: Sequence[str]) -> str:
        """Of these items those that have every word, themselves or in their customer's name."""
        if not words:
            return f"SELECT i.id FROM {source} ORDER BY i.id DESC LIMIT %(most)s"
        conditions = " AND ".join(
            f"(w.words @@ to_tsquery('simple', {self._take(query_of([word]))})"
            f" OR {self._is_named(word)})"
            for word in words[:_MOST_WORDS]
        )
        return (
            f"SELECT i.id FROM {source} {_THEIR_WORDS}"
            f" WHERE {conditions} ORDER BY i.id DESC LIMIT %(most)s"
        )

    def _is_named(self, word: str) -> str:
        """Whether its customer's name has the word; looked up once, not for each item."""
        return f"i.connection_id IN ({names.named(self._take(names.beginnings([word])))})"

    def _of_customers(self, named: Sequence[Named]) -> str:
        ids = self._take([one.connection_id for one in named])
        queries = self._take([query_of(one.words) for one in named])
        of_type = "AND object_type = %(type)s" if self._scope.object_type else ""
        each = max(LOOKED_INTO // len(named), 1)
        return (
            f"SELECT i.id FROM unnest({ids}::uuid[], {queries}::text[]) AS n(connection_id, query)"
            " CROSS JOIN LATERAL (SELECT newest.id FROM ("
            "SELECT id FROM syncing_syncitem WHERE connection_id = n.connection_id"
            f" {of_type} ORDER BY ready_at DESC, id DESC LIMIT {each}) AS newest"
            " JOIN syncing_itemwords w ON w.item_id = newest.id"
            " WHERE w.words @@ to_tsquery('simple', n.query) LIMIT %(most)s) AS i"
            " ORDER BY i.id DESC LIMIT %(most)s"
        )

    def _words(self, words: Sequence[str]) -> str:
        """Words of many items are found among the newest; only rarer ones ask their index.

        To collect all that begins so takes long, so the index is asked for whole words first, and
        for the beginning of a single one if there are none.
        """
        begun = f"to_tsquery('simple', {self._take(query_of(words[:_MOST_WORDS]))})"
        if self._scope.connection_id:
            return (
                "SELECT i.id FROM (SELECT id FROM syncing_syncitem"
                f" WHERE {self._scoped} ORDER BY ready_at DESC, id DESC"
                " LIMIT %(candidates)s) AS i JOIN syncing_itemwords w ON w.item_id = i.id"
                f" WHERE w.words @@ {begun} ORDER BY i.id DESC LIMIT %(most)s"
            )
        whole = f"to_tsquery('simple', {self._take(query_of(words[:_MOST_WORDS], begun=0))})"
        last = f"to_tsquery('simple', {self._take(query_of(words[:_MOST_WORDS], begun=1))})"
        is_one = "true" if len(words) == 1 else "false"
        newest = "(SELECT item_id, words FROM syncing_itemwords ORDER BY item_id DESC"
        return (
            f"WITH newest AS MATERIALIZED ({self._having(begun, f'{newest} LIMIT %(candidates)s)')}"
            " LIMIT %(most)s), whole AS MATERIALIZED ("
            f"{self._whole(whole)}"
            " LIMIT %(candidates)s), started AS MATERIALIZED ("
            f"{self._having(last)} AND {is_one}"
            " AND NOT EXISTS (SELECT FROM newest UNION ALL SELECT FROM whole)"
            " LIMIT %(candidates)s) SELECT item_id AS id FROM (SELECT item_id FROM newest"
            " UNION SELECT item_id FROM whole UNION SELECT item_id FROM started) AS found"
            " ORDER BY id DESC LIMIT %(most)s"
        )

    def _whole(self, query: str) -> str:
        """By their index; or of what another way has found by some of these words anyway."""
        is_asked = "(SELECT count(*) FROM newest) < %(most)s"
        if not self._rarer:
            return f"{self._having(query)} AND {is_asked}"
        rarer = self._rarer[0]
        return (
            f"{self._having(query, f'rarer_{rarer.number}')} AND {is_asked} AND {rarer.has_all}"
            f" UNION ALL {self._having(query)} AND {is_asked} AND NOT ({rarer.has_all})"
        )

    def _having(self, query: str, source: str = "syncing_itemwords") -> str:
        of_type = (
            " AND EXISTS (SELECT FROM syncing_syncitem i WHERE i.id = w.item_id"
            " AND i.object_type = %(type)s)"
            if self._scope.object_type
            else ""
        )
        return f"SELECT item_id FROM {source} AS w WHERE w.words @@ {query}{of_type}"


_THEIR_WORDS = (
    "CROSS JOIN LATERAL (SELECT words FROM syncing_itemwords WHERE item_id = i.id LIMIT 1) AS w"
)
"""By the id, whatever the planner makes of how many there are: a join reads all words there are."""


def query_of(words: Sequence[str], *, begun: int | None = None) -> str:
    """Words as `to_tsquery` takes them; none can be an operator.

    :param begun: how many at the end may be the beginning of a longer word; all if not given
    """
    quoted = [word.replace("\\", "\\\\").replace("'", "''") for word in words]
    whole = 0 if begun is None else len(words) - begun
    return " & ".join(
        f"'{word}'" if place < whole else f"'{word}':*" for place, word in enumerate(quoted)
    )


def _tokens(words: Sequence[str]) -> list[str]:
    """Words that may be a document's number."""
    return [word for word in words if any(letter.isdigit() for letter in word)][:_MOST_TOKENS]


def _title_of(reading: Reading) -> str:
    first = "card" if reading.card else "amount" if reading.amount else "day"
    return f"{first}_and_words" if reading.words else first


def _minors(amount: Amount) -> Mapping[tuple[int, int], None]:
    """Minor units of every precision that a figure fits, as a charge and as a refund."""
    found: dict[tuple[int, int], None] = {}
    for figure in amount.figures:
        for exponent in _EXPONENTS:
            minor = figure.scaleb(exponent)
            if minor == minor.to_integral_value() and minor < Decimal(2**63):
                found |= {(int(minor), exponent): None, (-int(minor), exponent): None}
    return found
