# This file is part of trytond-rampbridge. The file LICENSE holds the license terms.
from trytond.i18n import gettext
from trytond.pool import Pool, PoolMeta
from trytond.rpc import RPC
from trytond.transaction import Transaction

from .exceptions import TotalDiffersError
from .external import DocumentMixin, attempt, not_found

STATES = {'draft': 'draft', 'validated': 'draft', 'cancelled': 'void'}


class Invoice(DocumentMixin, metaclass=PoolMeta):
    __name__ = 'account.invoice'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__rpc__.update({
                'bridge_post': RPC(readonly=False),
                'bridge_void': RPC(readonly=False),
                })

    @classmethod
    def bridge_post(cls, documents):
        """Create and post bills and vendor credits.

        Like `account.move.bridge_post`, with `total` in each document: the gross total that Tryton must
        arrive at, negative for a credit.
        """
        return cls.bridge_book(documents, cls._bridge_create)

    @classmethod
    def bridge_void(cls, ref, date, reason):
        """Cancel a posted bill by a reversal dated `date`; a second time changes nothing."""
        invoice = cls.bridge_known([ref]).get(ref)
        if not invoice or invoice.state in {'draft', 'validated'}:
            return not_found(ref)
        return attempt(lambda: invoice._bridge_void(date, reason))

    @classmethod
    def _bridge_create(cls, documents):
        invoices = cls.create([
                dict(document['values'],
                    external_ref=document['ref'],
                    external_fingerprint=document['fingerprint'])
                for document in documents])
        for invoice, document in zip(invoices, documents):
            if invoice.total_amount != document['total']:
                raise TotalDiffersError(gettext(
                        'rampbridge.msg_total_differs',
                        computed=invoice.total_amount, expected=document['total']))
        cls.post(invoices)
        return cls.browse(invoices)

    def _bridge_void(self, date, reason):
        Move = Pool().get('account.move')
        cls = self.__class__
        if self.state != 'cancelled':
            reversal = self.move.bridge_reverse(date, reason)
            cls.write([self], {'cancel_move': reversal.id})
            Move.post([reversal])
            # It leaves the reversal alone that is there, and reconciles both.
            with Transaction().set_context(_skip_warnings=True):
                cls.cancel([cls(self.id)])
        return cls(self.id).bridge_answer(created=False)

    def bridge_answer(self, created):
        return {
            'id': self.id,
            'number': self.number,
            'state': STATES.get(self.state, 'posted'),
            'created': created,
            'total': self.total_amount,
            }
