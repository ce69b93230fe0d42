"""Comments name faults, rules and facts by number; docs/faults.md says what each of them is."""

import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("rampbridge", "connections", "syncing", "migrations_tool", "erp_addons", "bench", "tests")
PAGE = (ROOT / "docs" / "faults.md").read_text()
ANCHORS = re.findall(r'<a id="([^"]+)"></a>', PAGE)

_ID = re.compile(r"\b(?:[WPXKMTISC]\d{1,2}|INV\d+|R-\d+)\b")
_NUMBERED = re.compile(
    r"\b(rule|contract|gotcha)s? (\d+)((?:(?:, | and | to )\d+)*)", re.IGNORECASE
)
_ELSEWHERE = re.compile(
    r"\b(?:architecture|reliability|requirements?|performance|layout|ux|erp) \d", re.IGNORECASE
)


def comments_of(path: Path) -> Iterator[str]:
    """Comments and docstrings, one after the other; not what linters are told."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.string.partition("noqa")[0]
            elif token.type == tokenize.STRING and token.string.startswith('"""'):
                yield " ".join(token.string.split())


def ids_in(text: str) -> set[str]:
    """The anchors that a comment speaks of."""
    found = {one.lower() for one in _ID.findall(text)}
    for kind, first, others in _NUMBERED.findall(text):
        found |= {f"{kind.lower()}-{number}" for number in [first, *re.findall(r"\d+", others)]}
    return found


@pytest.fixture(scope="module")
def comments() -> dict[str, list[str]]:
    """By file. This file is left out, for it speaks of ids that do not exist."""
    files = (path for directory in CODE for path in sorted((ROOT / directory).rglob("*.py")))
    return {
        str(path.relative_to(ROOT)): list(comments_of(path))
        for path in files
        if path != Path(__file__)
    }


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("too late (fault X12)", {"x12"}),
        ("Matrix K9; K6: the neighbour goes through", {"k6", "k9"}),
        ("held (R-72 to R-77), see C11 and INV8", {"r-72", "r-77", "c11", "inv8"}),
        ("Rule 1 and rules 7, 8 and 12", {"rule-1", "rule-7", "rule-8", "rule-12"}),
        ("refused (contract 7, gotcha 18)", {"contract-7", "gotcha-18"}),
        ("an A4 page of S608 and utf8", set()),
    ],
)
def test_ids_are_found_in_words(text: str, ids: set[str]) -> None:
    assert ids_in(text) == ids


def test_every_id_that_the_code_mentions_is_explained(comments: dict[str, list[str]]) -> None:
    unknown = defaultdict(list)
    for path, texts in comments.items():
        for one in set().union(*map(ids_in, texts)) - set(ANCHORS):
            unknown[one].append(path)

    assert not unknown, "Explain these ids in docs/faults.md, or put it in words."


def test_no_comment_points_into_a_document_that_is_not_here(
    comments: dict[str, list[str]],
) -> None:
    pointing = {
        f"{path}: {text}"
        for path, texts in comments.items()
        for text in texts
        if _ELSEWHERE.search(text)
    }

    assert not pointing


def test_each_id_is_explained_once() -> None:
    assert [one for one, times in Counter(ANCHORS).items() if times > 1] == []
