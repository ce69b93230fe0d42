"""Why items of a made-up fleet are stuck: thirty causes, as the classifier tells them."""

from dataclasses import dataclass

_ERPS = ("NetSuite", "QuickBooks Online", "Tryton", "Xero", "Sage Intacct")
_MONTHS = ("July", "August", "September", "October")


@dataclass(frozen=True, slots=True)
class Cause:
    """What a failure says. A `%s` in its title takes what differs from item to item."""

    code: str
    title: str
    category: str
    origin: str
    state: str
    fix: str = ""
    share: int = 10

    def told(self, number: int) -> str:
        """The title of one item."""
        return self.title % _DIFFERS[number % len(_DIFFERS)] if "%s" in self.title else self.title


_DIFFERS = ("4410", "12-B", "2026-10-31", "88012", "7", "INV-77", "2.50", "A1")

CAUSES: tuple[Cause, ...] = (
    *(
        Cause(
            "erp.period_closed",
            f"The period {month} 2026 is closed in {erp}.",
            "user_actionable", "erp", "FAILED",
            f"Reopen the period in {erp}, or change the accounting date in Ramp.", share=12,
        )
        for erp, month in zip(_ERPS, _MONTHS + _MONTHS[:1], strict=True)
    ),
    *(
        Cause(
            "erp.unavailable", f"{erp} did not answer.", "transient", "erp", "READY", share=14
        )
        for erp in _ERPS
    ),
    *(
        Cause(
            "erp.unknown_account", f"The account %s is not in {erp}.",
            "user_actionable", "data", "FAILED", "Choose another account in Ramp.", share=10,
        )
        for erp in _ERPS
    ),
    *(
        Cause(
            "erp.vendor_missing", f"The vendor is inactive in {erp}.",
            "user_actionable", "erp", "FAILED", f"Make the vendor active in {erp}.", share=6,
        )
        for erp in _ERPS
    ),
    Cause("data.no_account", "It has no account.", "user_actionable", "data", "FAILED",
          "Choose a category in Ramp.", share=40),
    Cause("data.no_vendor", "The bill's vendor is not linked.", "user_actionable", "data", "FAILED",
          "Link the vendor in Ramp.", share=15),
    Cause("data.lines_differ", "The lines differ from the total by %s.", "needs_integrator", "ramp",
          "FAILED", share=3),
    Cause("data.unknown_value", "Ramp says a status that we do not know: “%s”.",
          "needs_integrator", "ramp", "FAILED", share=2),
    Cause("us.unknown", "We could not post this.", "needs_integrator", "us", "FAILED", share=6),
    Cause("us.bug", "Something went wrong in rampbridge itself.", "needs_integrator", "us",
          "FAILED", share=2),
    Cause("ramp.changed_after_posting", "It was changed in Ramp after it had been posted.",
          "needs_integrator", "ramp", "MISMATCH", share=5),
    Cause("erp.outcome_unknown", "The ERP's answer was lost.", "needs_integrator", "erp",
          "REVIEW", share=6),
    Cause("erp.duplicate_number", "The number %s is taken in the ERP.", "user_actionable", "erp",
          "FAILED", "Change the invoice's number in Ramp.", share=5),
    Cause("erp.rate_limited", "The ERP takes no more calls for now.", "transient", "erp", "READY",
          share=8),
)  # fmt: skip
