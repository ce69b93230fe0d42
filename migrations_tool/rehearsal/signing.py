"""Who stands for the rehearsal: the implementer and the customer, for exactly this report."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from migrations_tool.models import (
    ConnectionMigration,
    Evidence,
    Report,
    ShareLink,
    Signature,
)
from migrations_tool.old_chart.version import version_of
from migrations_tool.proofs import newest
from migrations_tool.rehearsal.posts_to import has_changed
from migrations_tool.rehearsal.reporting import (
    REPLAYED,
    is_open,
    newest_report,
    rehearsed,
    signatures,
)
from migrations_tool.step_records import changed, held, write_down
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused

Role = Signature.Role
SHORT = 12
SIGNED = "rehearsal.signature"


class CannotSign(Refused):
    """This signature would stand for something else than people think. The message says why."""


@dataclass(frozen=True, slots=True)
class Signed:
    """How the signature of one role stands."""

    role: str
    signature: Signature | None
    trouble: str
    """Why it does not count; empty if it does."""

    @property
    def is_good(self) -> bool:
        return self.signature is not None and not self.trouble


@transaction.atomic
def sign(
    migration: ConnectionMigration,
    *,
    role: str,
    name: str,
    email: str = "",
    report_hash: str,
    now: datetime,
    link: ShareLink | None = None,
) -> Signature:
    """Sign the newest report. An earlier signature of the role is withdrawn by it.

    :param report_hash: of the report that the person has read
    :param link: by which the customer came to it
    :raises CannotSign: if that is not the newest report, the mapping has changed since, something
        is unexplained, or one person would sign for both sides
    """
    record = held(migration, Step.REHEARSAL)
    name, email = " ".join(name.split())[:150], email.strip()
    _check_person(migration, role, name, email)
    version = _check_report(migration, report_hash)
    standing = Signature.objects.filter(migration=migration, role=role, withdrawn_at=None)
    if standing.filter(report_hash=report_hash, mapping_version=version).exists():
        raise CannotSign("This report is signed already.")
    standing.update(withdrawn_at=now, withdrawn_by=name)
    signature = Signature.objects.create(
        migration=migration,
        role=role,
        name=name,
        email=email,
        at=now,
        report_hash=report_hash,
        mapping_version=version,
        link=link,
    )
    changed(record, now=now)
    text = f"{name} signed the rehearsal as {Role(role).label.lower()}"
    text += f", {link.way}" if link else ""
    text = f"{text}: report {report_hash[:SHORT]}."
    write_down(migration, Step.REHEARSAL, "sign", text, actor=name)
    Evidence.objects.create(
        migration=migration,
        step=Step.REHEARSAL,
        code=SIGNED,
        at=now,
        by=name,
        is_good=True,
        text=text[:500],
        inputs={"email": email}
        | ({"link": link.pk, "given_to": link.given_to, "made_by": link.made_by} if link else {}),
        checksum=report_hash,
        app_version=settings.RELEASE[:60],
    )
    return signature


def strange(signature: Signature) -> str:
    """What is strange about how somebody came to sign, in words; empty if nothing is."""
    link = signature.link
    if link is None or not link.given_to or link.given_to.lower() == signature.email.lower():
        return ""
    who = f"{signature.name} signed as {signature.email}"
    return f"{who}, by a link that was given to {link.given_to}."


@transaction.atomic
def withdraw(migration: ConnectionMigration, *, role: str, actor: str, now: datetime) -> Signature:
    """Take a signature back (the step's rollback). It stays on record.

    :raises Refused: if there is none, or the customer has switched already
    """
    record = held(migration, Step.REHEARSAL)
    if migration.flipped_at is not None:
        raise Refused("The customer has switched already. The signatures stand for how it began.")
    standing = Signature.objects.filter(migration=migration, role=role, withdrawn_at=None).first()
    if standing is None:
        raise Refused("There is no signature to withdraw.")
    standing.withdrawn_at, standing.withdrawn_by = now, actor
    standing.save(update_fields=["withdrawn_at", "withdrawn_by"])
    changed(record, now=now)
    text = f"Withdrew the signature of {standing.name} as {Role(role).label.lower()}."
    write_down(migration, Step.REHEARSAL, "withdraw", text, actor=actor)
    return standing


def signed(migration: ConnectionMigration) -> dict[str, Signed]:
    """Both roles, as they stand against the newest report and mapping. Three statements."""
    report, version = newest_report(migration), version_of(migration)
    found = {one.role: one for one in signatures(migration)}
    return {
        role: Signed(role, found.get(role), _trouble(found.get(role), report, version))
        for role in Role.values
    }


def _trouble(signature: Signature | None, report: Report | None, version: str) -> str:
    if signature is None:
        return "Not signed yet."
    if signature.mapping_version != version:
        return f"The mapping has changed since {signature.name} signed."
    if report is None or signature.report_hash != report.digest:
        return f"The report has changed since {signature.name} signed."
    return ""


def _check_report(migration: ConnectionMigration, report_hash: str) -> str:
    """:returns: the mapping's version, which is the report's"""
    report = newest_report(migration)
    if report is None:
        raise CannotSign("There is no report yet. Rehearse first, and explain what differs.")
    if report.digest != report_hash:
        raise CannotSign("There is a newer report than the one you have read. Read it, then sign.")
    version = version_of(migration)
    if report.facts.get("mapping_version") != version:
        raise CannotSign(
            "The mapping has changed since this report was written. Rehearse again, then sign the"
            " new report."
        )
    replayed = newest(migration, REPLAYED)
    if replayed is not None and has_changed(migration, replayed):
        raise CannotSign(
            "Posting accounts, companies or mappings have changed since the rehearsal. Rehearse"
            " again, then sign the new report."
        )
    if any(is_open(row) for row in rehearsed(migration)):
        raise CannotSign("Some differences are not explained yet. Explain them, then sign.")
    return version


def _check_person(migration: ConnectionMigration, role: str, name: str, email: str) -> None:
    if role not in Role.values:
        raise CannotSign("Only the implementer and the customer sign.")
    if not name:
        raise CannotSign("Enter your name: it stands under the report.")
    if role == Role.IMPLEMENTER:
        return
    if not email:
        raise CannotSign("Enter your e-mail address: it says for whom you sign.")
    if _is_one_of_us(migration, name, email):
        raise CannotSign("The customer signs for itself. Send the contact the link for signing.")


def _is_one_of_us(migration: ConnectionMigration, name: str, email: str) -> bool:
    """Whether somebody who has a login here, or signed as implementer, signs for the customer."""
    ours = Signature.objects.filter(
        migration=migration, role=Role.IMPLEMENTER, withdrawn_at=None
    ).values_list("name", flat=True)
    known = {migration.implementer.casefold(), *(one.casefold() for one in ours)}
    return (
        name.casefold() in known - {""}
        or User.objects.filter(email__iexact=email).exists()
        or User.objects.filter(username__iexact=name).exists()
    )
