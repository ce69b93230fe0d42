"""What each code of an error means, and what to do about it, for those who pick up the phone. Pure.

The customer's fix stands with the judgement; here is what it means and what support does meanwhile.
A code without an entry of its own is explained by its family, the part before the dot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guide:
    """One kind of trouble, explained."""

    means: str
    """What has happened, and what it does to the items."""
    us: Sequence[str]
    """What support does, step by step."""
    ends: str = ""
    """How it ends, where that is worth knowing."""


_BY_ITSELF = "Every 30 seconds one of its items is checked. Once the cause is gone, all go through."
_ON_CHANGE = "A change of the item in Ramp, or a retry here, has it judged anew."
_SEND_AGAIN = "Retry one item. If it goes through, retry all."
_LOOK_UP = "Open one item and compare what was sent with what the ERP answered."

GUIDES: Mapping[str, Guide] = {
    # The ERP's books
    "erp.period_closed": Guide(
        "The ERP takes no entry on the accounting date: its period is closed or was never opened.",
        (
            "Ask the controller whether the period is to be reopened or the items are to be dated"
            " into the next one. Who closed it decides.",
            "Snooze it until one of its items goes through if they reopen it later.",
        ),
        _BY_ITSELF,
    ),
    "erp.account_inactive": Guide(
        "A line is coded with an account that the ERP has closed for postings.",
        (
            "If the account was replaced, map the old one to the new one: all its items go on.",
            "If it was closed by mistake, have it reactivated in the ERP.",
        ),
        _BY_ITSELF,
    ),
    "erp.dimension_inactive": Guide(
        "A line is coded with a department or another value that is no longer active in the ERP.",
        (
            "Map the old value to the one that took its place.",
            "Upload the chart, so that people can no longer choose it in Ramp.",
        ),
        _BY_ITSELF,
    ),
    "erp.dimension_required": Guide(
        "The ERP wants a department or another value that nobody has chosen in Ramp.",
        ("Make the field required in Ramp, so that it is asked for before an item is ready.",),
        _ON_CHANGE,
    ),
    "erp.vendor_missing": Guide(
        "The document needs a vendor, and the ERP does not have the one that Ramp names.",
        (
            "Link the vendor on the customer's vendors page, or map it.",
            "See whether the customer wants missing vendors to be created.",
        ),
        _BY_ITSELF,
    ),
    "erp.vendor_inactive": Guide(
        "The vendor is blocked in the ERP, often because it was merged into another one.",
        ("Look on the vendors page for its heir, and map it.",),
        _BY_ITSELF,
    ),
    "erp.tax_code_invalid": Guide(
        "The ERP refuses the tax code for this account or this date.",
        ("Look in the ERP from when to when it holds.", "Map it to the one that took its place."),
        _ON_CHANGE,
    ),
    "erp.duplicate_number": Guide(
        "The ERP has a bill of this vendor with this number already. It may be the same bill,"
        " entered by hand.",
        (
            "Look for the number in the ERP.",
            "If it is the same bill, mark the item as handled outside, with the ERP's number.",
        ),
        _ON_CHANGE,
    ),
    "erp.exchange_rate_missing": Guide(
        "The ERP has no rate for the currency on the accounting date.",
        ("Ask who keeps the rates; often a nightly import has stopped.",),
        _BY_ITSELF,
    ),
    "erp.overpayment": Guide(
        "More is to be paid on a bill than is open on it: somebody has paid or credited it before.",
        ("Look at the bill's payments in the ERP.", "Mark the payment as handled outside if so."),
        _ON_CHANGE,
    ),
    "erp.approval_needed": Guide(
        "The ERP holds the document until somebody there approves it.",
        ("Ask for an exception for our user if that was not meant.",),
        _BY_ITSELF,
    ),
    "erp.booked_otherwise": Guide(
        "What stands in the ERP is no longer what was reported to Ramp: deleted, taken back, or"
        " over another amount.",
        (
            "Ask the accountant whether it was meant.",
            "If it was, accept the difference on the item; if not, have it put right in the ERP.",
        ),
    ),
    "erp.expense_twice": Guide(
        "A card transaction was booked as an expense before Ramp said that it pays a bill, so the"
        " expense stands twice.",
        ("Have the card entry rebooked in the ERP from the expense to what the vendor is owed.",),
    ),
    "erp.review": Guide(
        "The answer was lost and this ERP cannot be asked, so nobody knows whether it is booked.",
        (
            "Look in the ERP for the vendor, the amount and the day.",
            "Decide on the item: adopt what is there, or post it. Never simply retry.",
        ),
    ),
    "erp.no_answer": Guide(
        "The ERP was asked several times, never said what became of it, and does not hold it.",
        ("See whether the ERP is well.", _SEND_AGAIN),
    ),
    "erp.rejected_payload": Guide(
        "The ERP refuses the document as we have built it. The customer can do nothing about it.",
        (_LOOK_UP, "File what you find with the two payloads and our reference.", _SEND_AGAIN),
    ),
    "erp.unbalanced": Guide(
        "The document that we built does not balance, so nothing was sent.",
        (_LOOK_UP, "It is a fault of ours: hand it to development with the reference."),
    ),
    "erp.ref_reused": Guide(
        "The ERP holds another document under our reference: the item was changed after it had"
        " been posted, or somebody copied a document.",
        (
            "Open the document in the ERP and compare.",
            "Adopt it if it is right; otherwise have it deleted.",
        ),
    ),
    "erp.unknown": Guide(
        "The ERP answered with something that this program does not know yet.",
        (
            "Read what the ERP said on one of the items.",
            "If it is plain who can act, rule on the category and write the fix.",
            "Hand the answer to development, so that the program learns it.",
        ),
    ),
    # Access
    "erp.auth_expired": Guide(
        "The ERP no longer lets us in. Nothing of this customer is posted until it does.",
        ("Send the customer to its settings page to enter new credentials.",),
        "Everything that waits goes through by itself once they work.",
    ),
    "erp.forbidden": Guide(
        "Our user in the ERP lacks a permission. Nothing of this customer is posted until then.",
        ("Tell the ERP's administrator which permission; the ERP's own words name it.",),
        "Everything that waits goes through by itself.",
    ),
    "erp.subscription_lapsed": Guide(
        "The customer's ERP subscription has ended.",
        ("Tell the customer; nobody else can renew it.",),
    ),
    # Codings
    "mapping": Guide(
        "An item is coded with something that the ERP does not have under this id, as after a"
        " change of integration or of the chart.",
        (
            "Map it with the button on this page. What it holds up is queued with the same click.",
            "Look for the cause: a chart that is not uploaded, or codings of a former integration.",
        ),
        _BY_ITSELF,
    ),
    "mapping.entity": Guide(
        "The item belongs to an entity of Ramp that leads to no company of the ERP.",
        ("Map the entity: the button stands on this page.",),
        _BY_ITSELF,
    ),
    "mapping.posting_profile": Guide(
        "An account that Ramp does not code, such as the one for cards, is not set for the entity.",
        ("Set it under the customer's mappings, Accounts.",),
        _BY_ITSELF,
    ),
    # The data itself
    "data": Guide(
        "What Ramp says of the item makes no document that an accountant would sign.",
        (
            "Look at the item in Ramp together with the customer.",
            "If it is right as it is, enter it in the ERP by hand and mark it as handled outside.",
        ),
        _ON_CHANGE,
    ),
    "data.no_coding": Guide(
        "A line says nothing about its account, and the customer has no account for that.",
        ("Set a fallback account under Mappings if the customer wants one.",),
        _ON_CHANGE,
    ),
    "data.payment_not_due": Guide(
        "A payment of which the ERP gets no document: what has moved is not money from a bank.",
        ("Enter it in the ERP by hand if it belongs there, and mark it as handled outside.",),
    ),
    "vendor": Guide(
        "The customer wants each merchant to be a vendor, and this one could not be made one.",
        ("Decide on the customer's vendors page who it is.",),
    ),
    # Ramp
    "ramp": Guide(
        "Ramp and we do not agree about an item, or Ramp refused to talk to us.",
        (
            "Compare the three sides on one of the items.",
            "Send Ramp's support the trace id that stands there.",
        ),
    ),
    "ramp.report_refused": Guide(
        "The document is in the ERP, and Ramp refuses our report of it.",
        (
            "Read on the item what Ramp said, with the trace id.",
            "It is read again each night, and reported once Ramp takes it.",
        ),
    ),
    "ramp.no_longer_ready": Guide(
        "The document is in the ERP, and in Ramp the item is no longer ready to sync.",
        ("Ask who took it back. If it is marked ready again, it is reported by itself.",),
    ),
    "ramp.changed_after_posting": Guide(
        "The item was changed in Ramp after it had been posted, so the two sides differ.",
        ("Ask the accountant which side is right, and decide on the item.",),
    ),
    "ramp.unreadable": Guide(
        "Ramp describes the item in a form that this program does not know.",
        ("Hand the item's payload to development.",),
    ),
    "file": Guide(
        "A receipt or an invoice could not be carried from Ramp to the ERP. The item itself is not"
        " held up by it.",
        (
            "Open the item and look at its files.",
            "Attach the file in the ERP by hand if it hurries.",
        ),
    ),
    # Time, and us
    "erp": Guide(
        "The ERP refused the document.",
        (_LOOK_UP, _SEND_AGAIN),
    ),
    "button": Guide(
        "Somebody pressed Sync All in Ramp, and there was no time left for these.",
        ("Nothing: they go on by themselves within minutes.",),
    ),
    "us": Guide(
        "This program failed over the item. The customer can do nothing about it.",
        ("Hand the details to development with the reference.", _SEND_AGAIN),
    ),
}
TRANSIENT = Guide(
    "It passes with time: each item is tried again by itself, more and more rarely, eight times.",
    ("Nothing, while it is getting less.", "See whether the ERP is well if it is not."),
)
GAVE_UP = Guide(
    "It should have passed with time and did not in eight attempts.",
    ("See whether the other side is well.", _SEND_AGAIN),
)
UNKNOWN = Guide(
    "Nobody has described this kind of error yet.",
    (_LOOK_UP, "Write what you find as a comment, so that the next one knows."),
)


def guide_of(code: str, category: str) -> Guide:
    """What to do about errors with a code: its own entry, its kind's, or its family's."""
    if code.endswith(".gave_up"):
        return GAVE_UP
    if code in GUIDES:
        return GUIDES[code]
    if category == "transient":
        return TRANSIENT
    return GUIDES.get(code.partition(".")[0], UNKNOWN)
