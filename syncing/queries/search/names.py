"""Customers by the beginnings of the words in their names, by an index of these words."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from syncing.queries.search.asked import Asked
from syncing.statements import rows

_SHORTEST = 2
_WORDS = "array_to_tsvector(array_remove(string_to_array(lower(name), ' '), ''))"
"""The words of a customer's name as the index `connection_by_word` has them."""


@dataclass(frozen=True, slots=True)
class Name:
    """A customer as far as a search compares it."""

    pk: UUID
    name: str
    slug: str

    def has(self, word: str) -> bool:
        """Whether a word of the name begins so."""
        return f" {word.lower()}" in f" {self.name.lower()}"

    def is_meant_by(self, asked: Asked) -> bool:
        """Whether the whole text names the customer."""
        text = " ".join(asked.words).lower()
        return all(self.has(word) for word in asked.words) or self.slug.startswith(text)


def having(asked: Asked, *, most: int) -> list[Name]:
    """Customers whose name has one of the words, those with most of them first.

    :param most: of one word's; a common word must not push out who has them all
    """
    words = [word for word in asked.words if len(word) >= _SHORTEST]
    if not words:
        return []
    found = rows(
        f"""
        SELECT id, name, slug FROM connections_connection WHERE id IN (
            {named("%(words)s")}
            UNION SELECT id FROM connections_connection WHERE slug LIKE %(start)s
        ) ORDER BY name, id LIMIT %(most)s
        """,  # noqa: S608  a constant of this file
        {
            "words": beginnings(words),
            "start": f"{escaped(asked.text.lower())}%",
            "most": most,
        },
    )
    names = [Name(*row) for row in found]
    return sorted(names, key=lambda one: -sum(one.has(word) for word in words))


def named(words: str) -> str:
    """The statement for the ids of the customers with one of these words.

    :param words: the place of `beginnings` in a statement's parameters
    """
    return f"SELECT id FROM connections_connection WHERE {_WORDS} @@ {words}::tsquery"  # noqa: S608


def beginnings(words: Sequence[str]) -> str:
    """What `named` looks for: any of these words, or the beginning of one."""
    quoted = (word.lower().replace("\\", "\\\\").replace("'", "''") for word in words)
    return " | ".join(f"'{word}':*" for word in quoted)


def escaped(text: str) -> str:
    """For LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
