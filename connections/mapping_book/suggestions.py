"""What a coding of Ramp may mean in the ERP, and why we think so. Pure, and always the same."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

STRONG = 90
"""From this confidence on suggestions are accepted in bulk; below, somebody looks at each."""

LIKE = 0.86
"""How much of two names must be the same letters for them to be spelt alike."""

_COMPARED = 200
"""Candidates that share a word with a coding and are compared letter by letter."""

_LEGAL_FORMS = frozenset(
    {
        *("ag", "bv", "co", "corp", "corporation", "gmbh", "inc", "incorporated", "kg", "limited"),
        *("llc", "llp", "ltd", "nv", "oy", "plc", "pty", "sa", "sarl", "sas", "srl", "the"),
    }
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of the ERP that can be mapped to."""

    erp_id: str
    name: str
    code: str = ""
    classification: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class Coding:
    """What Ramp says of a coding, and of the closed record that it leads to, if it does."""

    external_id: str
    name: str = ""
    code: str = ""
    classification: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A candidate, and why it is one."""

    candidate: Candidate
    reason: str
    confidence: int
    """In per cent."""

    @property
    def is_strong(self) -> bool:
        return self.confidence >= STRONG


class Suggester:
    """Finds candidates by code, name and words; a query looks at those that share one with it."""

    def __init__(
        self, candidates: Iterable[Candidate], earlier: Mapping[str, str] | None = None
    ) -> None:
        """
        :param earlier: the ERP ids that codings were mapped to before, by `folded` name
        """
        self._earlier = earlier or {}
        self._by_id: dict[str, Candidate] = {}
        self._by_code: dict[str, list[Candidate]] = defaultdict(list)
        self._by_name: dict[str, list[Candidate]] = defaultdict(list)
        self._by_word: dict[str, list[Candidate]] = defaultdict(list)
        self._words: dict[str, tuple[str, ...]] = {}
        self._cores: dict[str, tuple[str, ...]] = {}
        for one in sorted(candidates, key=lambda one: (one.code, one.name, one.erp_id)):
            self._by_id[one.erp_id] = one
            words = self._words[one.erp_id] = tuple(folded(one.name).split())
            self._cores[one.erp_id] = _without_form(words)
            self._by_name[" ".join(words)].append(one)
            if one.code:
                self._by_code[one.code.casefold()].append(one)
            for word in {*words, *(word[:3] for word in words)}:
                self._by_word[word].append(one)

    def suggest(self, coding: Coding, *, limit: int = 3) -> list[Suggestion]:
        """The likeliest candidates first; none that is no better than a guess."""
        found: dict[str, Suggestion] = {}
        for suggestion in (*self._same(coding), *self._alike(coding)):
            fitted = _of_class(coding, suggestion)
            known = found.get(fitted.candidate.erp_id)
            is_itself = fitted.candidate.erp_id == coding.external_id
            if not is_itself and (known is None or known.confidence < fitted.confidence):
                found[fitted.candidate.erp_id] = fitted
        best = sorted(
            found.values(),
            key=lambda one: (
                -one.confidence,
                one.candidate.code,
                one.candidate.name,
                one.candidate.erp_id,
            ),
        )
        return best[:limit]

    def _same(self, coding: Coding) -> Iterable[Suggestion]:
        """By code, by name, and by what was mapped before under the name."""
        name = folded(coding.name)
        namesakes = self._by_name.get(name, []) if name else []
        for code in dict.fromkeys(one for one in (coding.code, coding.external_id) if one):
            sharing = self._by_code.get(code.casefold(), [])
            some = sharing[:_COMPARED]
            yield from (self._of_code(code, one, name, len(sharing)) for one in some)
        for one in namesakes[:_COMPARED]:
            others = len(namesakes) - 1
            if others:
                reason = f"same name, but so have {others} other{'s' if others > 1 else ''}"
                yield Suggestion(one, reason, 60)
            else:
                yield Suggestion(one, "same name", 95)
        before = self._by_id.get(self._earlier.get(name, ""))
        if before is not None and name:
            reason = f"“{coding.name}” was mapped to it before"
            yield Suggestion(before, reason, 93)

    def _of_code(self, code: str, one: Candidate, name: str, sharing: int) -> Suggestion:
        words = self._words[one.erp_id]
        if sharing > 1:
            return Suggestion(one, f"same code {code}, but {sharing} have it", 65)
        if name == " ".join(words):
            return Suggestion(one, f"same code {code} and same name", 99)
        if not name or set(name.split()) & set(words):
            return Suggestion(one, f"same code {code}", 92)
        return Suggestion(one, f"same code {code}, but another name", 75)

    def _alike(self, coding: Coding) -> Iterable[Suggestion]:
        """By names that differ a little."""
        words = tuple(folded(coding.name).split())
        if not words:
            return
        mine, together = _without_form(words), " ".join(words)
        for one in self._sharing_words(words):
            others, theirs = self._words[one.erp_id], self._cores[one.erp_id]
            if others == words:
                continue
            if mine and mine == theirs:
                yield Suggestion(one, "same name but for the legal form", 91)
            elif mine and len(mine) == len(theirs) and sorted(mine) == sorted(theirs):
                yield Suggestion(one, "same words in another order", 88)
            elif len(set(words) ^ set(others)) <= 2 and set(words) & set(others):
                yield Suggestion(one, "name differs in one word", 80)
            elif _is_spelt_alike(together, " ".join(others)):
                yield Suggestion(one, "name spelt almost the same", 78)
            elif mine and theirs and (set(mine) <= set(theirs) or set(theirs) <= set(mine)):
                yield Suggestion(one, "one name contains the other", 62)

    def _sharing_words(self, words: Sequence[str]) -> list[Candidate]:
        """The rarest words first: of the common ones nobody needs all."""
        keys = sorted(
            {*words, *(word[:3] for word in words)},
            key=lambda word: (len(self._by_word.get(word, ())), word),
        )
        found: dict[str, Candidate] = {}
        for key in keys:
            for one in self._by_word.get(key, ()):
                if len(found) >= _COMPARED:
                    return list(found.values())
                found.setdefault(one.erp_id, one)
        return list(found.values())


def folded(name: str) -> str:
    """A name without case, accents and punctuation, to compare by."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    kept = "".join(one for one in plain if not unicodedata.combining(one))
    return " ".join(re.findall(r"\w+", kept))


def _is_spelt_alike(mine: str, theirs: str) -> bool:
    """Whether most letters are the same, in order. Nearly all pairs are told apart by their lengths
    or by how often they have which letter, so that few are compared letter by letter."""
    least = LIKE * (len(mine) + len(theirs)) / 2
    if min(len(mine), len(theirs)) < least:
        return False
    may_lack = len(mine) - least
    for letter, count in _letters(mine):
        may_lack -= max(count - theirs.count(letter), 0)
        if may_lack < 0:
            return False
    return SequenceMatcher(None, mine, theirs).ratio() >= LIKE


@lru_cache(maxsize=64)
def _letters(text: str) -> Sequence[tuple[str, int]]:
    return tuple((letter, text.count(letter)) for letter in set(text))


def _without_form(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in _LEGAL_FORMS)


def _of_class(coding: Coding, one: Suggestion) -> Suggestion:
    """An account of another class than the one it stands in for is never strong."""
    mine, theirs = coding.classification, one.candidate.classification
    unknown = {"", "ANY", "UNKNOWN"}
    if mine == theirs or mine in unknown or theirs in unknown:
        return one
    reason = f"{one.reason}, but it is {theirs.lower()} and not {mine.lower()}"
    return Suggestion(one.candidate, reason, min(one.confidence, 55))
