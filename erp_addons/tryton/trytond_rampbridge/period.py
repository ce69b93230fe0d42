# This file is part of trytond-rampbridge. The file LICENSE holds the license terms.
"""Reopening a period puts its journals back to what they were.

Tryton closes all journals of a period that it closes, and leaves them closed when it reopens the
period, which then still refuses every posting. Whoever reopens a period for a late document wants
it to be posted. Journals that somebody has closed by themselves stay closed.
"""
from trytond.model import ModelView, fields
from trytond.pool import Pool, PoolMeta

FLAG = 'closed_with_period'


class JournalPeriod(metaclass=PoolMeta):
    __name__ = 'account.journal.period'

    closed_with_period = fields.Boolean("Closed with Period", readonly=True)

    @classmethod
    def check_modification(cls, mode, records, values=None, external=False):
        # Tryton protects what has moves in it; our mark changes nothing about them.
        if mode == 'write' and not external and values.keys() == {FLAG}:
            return
        super().check_modification(mode, records, values=values, external=external)


class Period(metaclass=PoolMeta):
    __name__ = 'account.period'

    @classmethod
    @ModelView.button
    def close(cls, periods):
        JournalPeriod = Pool().get('account.journal.period')
        open_ = JournalPeriod.search([
                ('period', 'in', [period.id for period in periods]),
                ('state', '=', 'open'),
                ])
        super().close(periods)
        JournalPeriod.write(open_, {FLAG: True})

    @classmethod
    @ModelView.button
    def reopen(cls, periods):
        JournalPeriod = Pool().get('account.journal.period')
        super().reopen(periods)
        closed = JournalPeriod.search([
                ('period', 'in', [period.id for period in periods]),
                ('period.state', '=', 'open'),
                (FLAG, '=', True),
                ])
        JournalPeriod.reopen([period for period in closed if period.state == 'closed'])
        JournalPeriod.write(closed, {FLAG: False})
