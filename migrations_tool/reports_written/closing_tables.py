"""The closing report's facts as tables: the page and the PDF print the same ones. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Line = Sequence[object]


@dataclass(frozen=True, slots=True)
class Section:
    """One table with its title."""

    title: str
    widths: Sequence[int]
    """Shares of the page."""
    head: Sequence[str]
    lines: Sequence[Line]
    numbers = frozenset({"Count", "Amount"})
    """Heads of columns that are set to the right."""

    @property
    def rows(self) -> list[list[tuple[str, object]]]:
        """Each cell with the head of its column: a phone has no room for a line of heads."""
        return [list(zip(self.head, line, strict=True)) for line in self.lines]


def summary(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Who moved from where to where, and when."""
    both = f"{facts['old_connection']} (old), {facts['new_connection']} (new)"
    return [
        ("From", facts["old_provider"]),
        ("To", f"{facts['label']} ({facts['erp']})"),
        ("Connections", both),
        ("Begun", facts["started"]),
        ("Marked ready", facts["marked_ready"]),
        ("Switched", facts["switched"]),
        *([("Ended", facts["ended"])] if facts["ended"] else []),
        ("Responsible", facts["implementer"]),
        ("Customer's contact", facts["contact"]),
    ]


def sections(facts: Mapping[str, Any]) -> list[Section]:
    """Everything else, in the order it is printed."""
    codings = facts["codings"]
    total = f"{codings['kept']} kept, {codings['changed']} changed, {codings['lost']} lost"
    return [
        _section(facts, "Steps", "steps", (5, 29, 15, 16, 20, 15),
                 number="No.", title="Step", status="Status", owner="Owner", done="Done", by="By"),
        _section(facts, "Signatures", "signatures", (12, 15, 14, 20, 25, 14), role="Role",
                 name="Name", at="Signed", way="How", report="Report's hash",
                 withdrawn="Withdrawn"),
        _section(facts, "Waivers", "waivers", (16, 16, 28, 10, 15, 15), step="Step",
                 gate="Condition", reason="Reason", state="State", asked="Asked",
                 decided="Decided"),
        _section(facts, "Counted before", "before", (30, 25, 15, 30), type="Type", standing="State",
                 count="Count", amount="Amount"),
        _section(facts, "Counted after", "after", (30, 25, 15, 30), type="Type", state="State",
                 count="Count", amount="Amount"),
        _section(facts, "Canary", "canaries", (18, 24, 16, 20, 22), type="Type", label="Object",
                 amount="Amount", document="Document", ticked="Looked at"),
        Section(f"Codings: {total}", (50, 25, 25), ("Object", "Type", "Verdict"),
                [[one["label"], one["type"], one["verdict"]] for one in codings["differing"]]),
        _section(facts, "Bills in flight", "bills", (28, 18, 16, 18, 20), vendor="Vendor",
                 number="Number", amount="Amount", decision="Decided", done="Done"),
        _section(facts, "Rules", "rules", (20, 35, 20, 25), kind="Kind", name="Rule",
                 owner="Owner", done="Made anew"),
        _section(facts, "Evidence", "evidence", (16, 20, 34, 12, 18), at="When", code="What",
                 text="Seen", by="By", checksum="Checksum"),
    ]  # fmt: skip


def _section(
    facts: Mapping[str, Any],
    heading: str,
    fact: str,
    widths: Sequence[int],
    /,
    **heads: str,
) -> Section:
    lines = [[one[key] for key in heads] for one in facts[fact]]
    return Section(heading, widths, tuple(heads.values()), lines)
