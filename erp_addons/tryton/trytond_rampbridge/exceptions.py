# This file is part of trytond-rampbridge. The file LICENSE holds the license terms.
"""What the bridge refuses by itself. Callers match the names of these classes."""
from trytond.exceptions import UserError


class ReferenceReusedError(UserError):
    "The reference belongs to a record with other content"


class TotalDiffersError(UserError):
    "Tryton computes another total, by its taxes or its rounding"


class BillNotPostedError(UserError):
    "A payment names a bill that is not in the ledger"


class OverpaymentError(UserError):
    "A payment is larger than what is open on its bill"


class DocumentNotFoundError(UserError):
    "There is nothing to take back"
