# This file is part of trytond-rampbridge. The file LICENSE holds the license terms.
from collections import defaultdict

from trytond.i18n import gettext
from trytond.pool import Pool, PoolMeta
from trytond.rpc import RPC
from trytond.transaction import Transaction

from .exceptions import BillNotPostedError, OverpaymentError
from .external import DocumentMixin, attempt, not_found

VOID_SUFFIX = ':void'


class Move(DocumentMixin, metaclass=PoolMeta):
    __name__ = 'account.move'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__rpc__.update({
                'bridge_post': RPC(readonly=False),
                'bridge_pay': RPC(readonly=False),
                'bridge_void': RPC(readonly=False),
                })

    @classmethod
    def bridge_post(cls, documents):
        """Create and post journal entries.

        Each document: {ref, fingerprint, values}, `values` as for `create`. Answers, in the same order:
        {id, number, state, created, total}, or {refused: {types, name, message, description, domain}}.
        """
        return cls.bridge_book(documents, cls._bridge_create)

    @classmethod
    def bridge_pay(cls, documents):
        """Create and post payments, and settle the bills that they pay.

        Like `bridge_post`, with `pays` in each document: a list of {line, ref, id, amount}. `line` counts
        the lines of `values` from 0; the bill is named by our reference or by its id; `amount` is in the
        bill's currency.
        """
        return cls.bridge_book(documents, cls._bridge_create_payments)

    @classmethod
    def bridge_void(cls, ref, date, reason):
        """Post the reversal of a journal entry or payment, dated `date`; a second time changes nothing."""
        move = cls.bridge_known([ref]).get(ref)
        if not move or move.state != 'posted':
            return not_found(ref)
        return attempt(lambda: move._bridge_void(date, reason))

    @classmethod
    def _bridge_create(cls, documents):
        moves = cls.create([
                dict(document['values'],
                    external_ref=document['ref'],
                    external_fingerprint=document['fingerprint'])
                for document in documents])
        cls.post(moves)
        return cls.browse(moves)

    @classmethod
    def _bridge_create_payments(cls, documents):
        bills = [cls._bridge_bills(document['pays']) for document in documents]
        moves = cls._bridge_create(documents)
        for move, document, paid in zip(moves, documents, bills):
            move._bridge_settle(document['pays'], paid)
        return cls.browse(moves)

    @classmethod
    def _bridge_bills(cls, pays):
        "The bills that a payment settles, each still open by at least what it is paid"
        Invoice = Pool().get('account.invoice')
        known = Invoice.bridge_known(pay['ref'] for pay in pays if pay['ref'])
        bills = []
        amounts = defaultdict(int)
        for pay in pays:
            bill = known.get(pay['ref']) if pay['ref'] else Invoice(pay['id'])
            if not bill or bill.state not in {'posted', 'paid'}:
                raise BillNotPostedError(gettext(
                        'rampbridge.msg_bill_not_posted',
                        bill=bill.rec_name if bill else pay['ref']))
            amounts[bill] += pay['amount']
            if amounts[bill] > bill.amount_to_pay:
                raise OverpaymentError(gettext(
                        'rampbridge.msg_overpayment',
                        bill=bill.rec_name, amount=amounts[bill], open=bill.amount_to_pay))
            bills.append(bill)
        return bills

    def _bridge_settle(self, pays, bills):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        Line = pool.get('account.move.line')
        lines = sorted(self.lines, key=lambda line: line.id)
        payments = defaultdict(list)
        for pay, bill in zip(pays, bills):
            payments[bill].append(lines[pay['line']])
        Invoice.add_payment_lines(payments)
        for bill in payments:
            bill = Invoice(bill.id)
            to_reconcile, remainder = bill.get_reconcile_lines_for_amount(0, bill.currency)
            if to_reconcile and not remainder:
                Line.reconcile(to_reconcile)

    def _bridge_void(self, date, reason):
        cls = self.__class__
        void_ref = self.external_ref + VOID_SUFFIX
        if void_ref not in cls.bridge_known([void_ref]):
            self._bridge_unsettle()
            reversal = self.bridge_reverse(date, reason)
            cls.write([reversal], {'external_ref': void_ref})
            self._bridge_reconcile(reversal)
            cls.post([reversal])
        return cls(self.id).bridge_answer(created=False)

    def _bridge_unsettle(self):
        "Open the bills again that a payment has settled"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        PaymentLine = pool.get('account.invoice-account.move.line')
        Reconciliation = pool.get('account.move.reconciliation')
        reconciliations = {line.reconciliation for line in self.lines if line.reconciliation}
        payments = PaymentLine.search([('line', 'in', [line.id for line in self.lines])])
        if not payments:
            return
        Reconciliation.delete(list(reconciliations))
        # Tryton lets go of the payments of a bill only once it no longer counts as paid.
        Invoice.process([payment.invoice for payment in payments])
        Invoice.remove_payment_lines([payment.line for payment in payments])

    def bridge_reverse(self, date, reason):
        "A draft of the opposite entry, dated `date`"
        Period = Pool().get('account.period')
        cls = self.__class__
        period = Period.find(self.company, date=date)
        # Tryton warns of an original in a closed period, and would date its reversal today.
        with Transaction().set_context(_skip_warnings=True):
            reversal = self.cancel(reversal=True)
        cls.write([reversal], {'date': date, 'period': period.id, 'description': reason})
        return cls(reversal.id)

    def _bridge_reconcile(self, reversal):
        Line = Pool().get('account.move.line')
        to_reconcile = defaultdict(list)
        for line in self.__class__(self.id).lines + reversal.lines:
            if line.account.reconcile and not line.reconciliation:
                to_reconcile[line.account, line.party].append(line)
        for lines in to_reconcile.values():
            if not sum(line.debit - line.credit for line in lines):
                Line.reconcile(lines)

    def bridge_answer(self, created):
        voided = not created and self.bridge_known([self.external_ref + VOID_SUFFIX])
        return {
            'id': self.id,
            'number': self.number,
            'state': 'void' if voided else self.state,
            'created': created,
            'total': sum(line.debit for line in self.lines),
            }
