"""Prove that the ERP can be read and written, and look at whose login it is.

Writing is not tried out. Every document or vendor that we made only to try would stay in the
customer's books: a posted journal can be reversed but not removed, a vendor only be deactivated.
So the ERP is asked for the rights of our login, which is its own answer to the same question. The
first document that is really written is the canary of the cutover, and a person looks at it.
"""

from datetime import timedelta

from connections import secrets
from connections.erp.errors import ErpError
from connections.erp.records import MasterKind
from connections.erp.rights import Rights, TellsRights
from connections.models import Credential
from migrations_tool.access.logins import is_persons
from migrations_tool.work import Work

READ, WRITE, PERSON = "access.erp", "access.erp_write", "access.person"
GOOD_FOR = timedelta(days=30)
"""Rights are changed and passwords expire: what was proved longer ago is looked at again."""


def probe(work: Work) -> None:
    """Read, ask for rights, look at the login; evidence of each."""
    _read(work)
    rights = _ask_rights(work)
    _look_at_login(work, rights)


def _read(work: Work) -> None:
    name = work.connection.erp_name
    try:
        work.keep()
        health = work.erp.health()
        if health.problem is not None:
            raise health.problem
        work.keep()
        page = next(work.erp.changes(MasterKind.ACCOUNT, None), None)
    except ErpError as error:
        _bad(work, READ, error)
        return
    accounts = sum(one.postable and one.active for one in page.items) if page else 0
    if not accounts:
        work.evidence(
            READ,
            f"{name} lets us in, and shows no account that can be posted to.",
            is_good=False,
            result={"fix": f"Let our login see the chart of accounts in {name}."},
        )
        return
    about = health.company or name
    work.evidence(
        READ,
        f"{about} was read: its chart of accounts is open to us.",
        is_good=True,
        result={"company": health.company, "version": health.version},
        counts={"accounts_on_first_page": accounts},
        good_for=GOOD_FOR,
    )


def _ask_rights(work: Work) -> Rights | None:
    name = work.connection.erp_name
    if not isinstance(work.erp, TellsRights):
        work.evidence(
            WRITE,
            f"{name} cannot be asked what our login may do, and nothing is written to try it out.",
            is_good=False,
            result={
                "fix": "Look up the login's rights in the ERP: journals, bills, payments, vendors."
                " Then have this condition waived with what you saw."
            },
        )
        return None
    try:
        work.keep()
        rights = work.erp.rights()
    except ErpError as error:
        _bad(work, WRITE, error)
        return None
    if rights.refused:
        work.evidence(
            WRITE,
            f"{name} does not let our login {_either(rights.refused)}.",
            is_good=False,
            result={
                "fix": f"Have an admin of {name} grant it to {rights.login}, then check again.",
                "may": dict(rights.may),
            },
        )
    else:
        work.evidence(
            WRITE,
            f"{name} says that our login may {_all(list(rights.may))}. Nothing was written.",
            is_good=True,
            result={"may": dict(rights.may)},
            good_for=GOOD_FOR,
        )
    return rights


def _look_at_login(work: Work, rights: Rights | None) -> None:
    settings = secrets.credential(work.connection, Credential.Side.ERP)
    login = rights.login if rights else settings.get("login", "")
    name = work.connection.erp_name
    person = rights.person if rights else ""
    fix = (
        f"Ask for a login of {name} that is made for programs, and enter it in the settings. A"
        " person's ends with their job, and everything we book carries their name."
    )
    judged = True if person else is_persons(login)
    match judged:
        case True:
            whose = f"{person}, who works there" if person else "a person, by its name"
            text = f"The login {login} belongs to {whose}."
        case False:
            text = f"The login {login} is one for programs."
        case None:
            text = f"Whether the login {login} is a person's cannot be told from its name."
            fix = f"Ask whose it is. {fix}"
    is_good = judged is False
    result = {} if is_good else {"fix": fix}
    work.evidence(PERSON, text, is_good=is_good, result=result)


def _bad(work: Work, code: str, error: ErpError) -> None:
    work.evidence(code, error.title, is_good=False, result={"fix": error.fix})


def _all(things: list[str]) -> str:
    return f"{', '.join(things[:-1])} and {things[-1]}" if len(things) > 1 else things[0]


def _either(things: list[str]) -> str:
    return f"{', '.join(things[:-1])} or {things[-1]}" if len(things) > 1 else things[0]
