"""Triggers that keep the words an item can be found by, where the items' own updates cost nothing.

The items' rows change five times on their way and would be indexed anew each time.
"""

import pgtrigger

_VECTOR = "to_tsvector('simple', concat_ws(' ', n.label, n.memo, n.person, n.invoice_number))"

_WRITE = f"""
    INSERT INTO syncing_itemwords (item_id, words)
    SELECT n.id, {_VECTOR} FROM new_rows n %s
    ORDER BY n.id
    ON CONFLICT (item_id) DO UPDATE SET words = excluded.words;
    RETURN NULL;
"""  # noqa: S608  constants of this file
_OTHER_WORDS = """
    JOIN old_rows o ON o.id = n.id
    WHERE (o.label, o.memo, o.person, o.invoice_number)
        IS DISTINCT FROM (n.label, n.memo, n.person, n.invoice_number)
"""


def _trigger(
    name: str, operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, which: str
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=referencing,
        func=pgtrigger.Func(_WRITE % which),
    )


WORD_TRIGGERS = (
    _trigger("words_of_inserts", pgtrigger.Insert, pgtrigger.Referencing(new="new_rows"), ""),
    _trigger(
        "words_of_updates",
        pgtrigger.Update,
        pgtrigger.Referencing(new="new_rows", old="old_rows"),
        _OTHER_WORDS,
    ),
)
