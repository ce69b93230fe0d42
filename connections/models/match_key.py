"""Names as they are compared: the database works them out, whoever writes the row."""

from django.db.models import CharField, F, Func, GeneratedField, Value
from django.db.models.functions import Lower

_ACCENTED = "ÀÁÂÃÄÅàáâãäåÈÉÊËèéêëÌÍÎÏìíîïÒÓÔÕÖØòóôõöøÙÚÛÜùúûüÝŸýÿÑñÇçŠšŽž"
_PLAIN_LETTERS = "AAAAAAaaaaaaEEEEeeeeIIIIiiiiOOOOOOooooooUUUUuuuuYYyyNnCcSsZz"

LEGAL_FORMS = (
    *("ab", "ag", "aps", "as", "bv", "co", "company", "corp", "corporation", "eurl", "gmbh"),
    *("inc", "incorporated", "kg", "kgaa", "kk", "lda", "limited", "llc", "llp", "lp", "ltd"),
    *("ltda", "mbh", "nv", "oy", "oyj", "plc", "pllc", "pte", "pty", "sa", "sarl", "sas", "sl"),
    *("spa", "spzoo", "srl", "ulc", "株式会社", "有限会社"),
)
"""What follows, or in Japan may precede, a name and says nothing about whose it is."""

_FORMS = "|".join(LEGAL_FORMS)


class MatchKey(Func):
    """A name without case, accents, punctuation, legal form and spaces: `GitHub, Inc.` is `github`.

    Two names that differ in nothing else are taken for one by everybody who reads them. The
    columns are stored: whoever changes the rule writes a migration that makes them anew.
    """

    # From the inside: accents, case, "&", points within abbreviations, everything else that is
    # neither letter nor digit, legal forms at either end, spaces.
    template = (
        "left(replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace("
        "replace(lower(translate(%(expressions)s,"
        f" '{_ACCENTED}', '{_PLAIN_LETTERS}')), '&', ' and '),"
        " '[.''\u2019]', '', 'g'), '[^[:alnum:]]+', ' ', 'g'),"
        f" '( ({_FORMS}))+ *$', ''), '^ *((the|株式会社|有限会社) )?', ''), ' ', ''), 300)"
    )


def match_key(of: str) -> GeneratedField:
    """A column that holds what another one is compared by; sorted by bytes, to search by starts."""
    return GeneratedField(
        expression=MatchKey(F(of)),
        output_field=CharField(max_length=300, db_collation="C"),
        db_persist=True,
    )


def email_domain(of: str) -> GeneratedField:
    """A column that holds the domain of an e-mail address, in small letters."""
    return GeneratedField(
        expression=Lower(Func(F(of), Value("@"), Value(2), function="split_part")),
        output_field=CharField(max_length=254, db_collation="C"),
        db_persist=True,
    )
