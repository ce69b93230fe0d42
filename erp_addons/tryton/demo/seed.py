# This file is part of trytond-rampbridge. The file LICENSE holds the license terms.
"""Make a Tryton database with our modules active into a company that people could work in.

Runs in Tryton's own environment: `python seed.py < plan.json`, with
{"database", "config", "currency", "company", "year", "login", "password", "admin_password"}.
The fiscal years are the one before `year`, `year` itself and the one after.
"""
import datetime as dt
import json
import sys
from decimal import Decimal

from proteus import Model, Wizard, config

# code, name, symbol, digits, units for one US dollar
CURRENCIES = [
    ('USD', "U.S. Dollar", "$", 2, '1'),
    ('EUR', "Euro", "€", 2, '0.92'),
    ('GBP', "Pound Sterling", "£", 2, '0.79'),
    ('JPY', "Japanese Yen", "¥", 0, '150'),
    ]

EXPENSES = [
    ('6100', "Travel"),
    ('6200', "Software"),
    ('6300', "Meals"),
    ('6400', "Office supplies"),
    ('6500', "Advertising"),
    ('6600', "Professional fees"),
    ('6999', "Old projects"),
    ]

DEPARTMENTS = [
    ('ENG', "Engineering"),
    ('SAL', "Sales"),
    ('OPS', "Operations"),
    ]

VENDORS = [
    "Amazon Web Services", "Delta Air Lines", "Figma", "Staples", "WeWork",
    "Bergmann Werkzeuge GmbH", "CED Greentech", "Café Imports", "McKesson",
    "Peak Print Works", "Protolabs", "佐藤会計事務所",
    ]

# name, e-mail, country, identifier: some are surely one vendor entered twice
DETAILED_VENDORS = [
    ("Uline", 'ar@uline.example', 'US', '36-0000001'),
    ("ULINE Inc.", 'ar@uline.example', 'US', '36-0000001'),
    ("Uline Shipping Supplies", '', 'US', ''),
    ("FedEx", 'billing@fedex.example', 'US', '71-0000002'),
    ("Federal Express Corp.", '', 'US', '71-0000002'),
    ("Müller & Söhne Verpackung", 'buchhaltung@mueller.example', 'DE', ''),
    ("Mueller und Soehne Verpackung", '', 'DE', ''),
    ]

COUNTRIES = [('US', "United States"), ('DE', "Germany")]

# currency: name, rate
TAXES = {
    'USD': [],
    'EUR': [("TVA 20 %", '0.20'), ("TVA 5,5 %", '0.055')],
    'GBP': [("VAT 20 %", '0.20'), ("VAT 5 %", '0.05')],
    'JPY': [("Consumption tax 10 %", '0.10'), ("Consumption tax 8 %", '0.08')],
    }
# currency: name of the whole, then its parts
COMPOUND_TAXES = {
    'USD': [("Sales tax Denver", [("Colorado 2.9 %", '0.029'), ("Denver 4.81 %", '0.0481')])],
    }

GROUPS = [
    ('account', 'group_account'),
    ('account', 'group_account_admin'),
    ('party', 'group_party_admin'),
    ('company', 'group_company_admin'),
    ('analytic_account', 'group_analytic_admin'),
    ]


def main(plan):
    cfg = config.set_trytond(plan['database'], config_file=plan['config'])
    finish_configuration_wizard()
    currencies = create_currencies(plan['currency'], plan['year'])
    company = create_company(cfg, plan['company'], currencies[plan['currency']])
    create_chart(company)
    for year in range(plan['year'] - 1, plan['year'] + 2):
        create_fiscal_year(company, year)
    accounts = create_accounts(company)
    set_exchange_accounts(accounts['exchange'])
    create_taxes(company, accounts['tax'], plan['currency'])
    create_payment_records(company, accounts['bank'])
    create_departments(company)
    create_vendors()
    create_user(company, plan['login'], plan['password'])
    set_admin_password(cfg, plan['admin_password'])


def finish_configuration_wizard():
    for item in Model.get('ir.module.config_wizard.item').find([('state', '=', 'open')]):
        item.state = 'done'
        item.save()


def create_currencies(base, year):
    Currency = Model.get('currency.currency')
    per_dollar = {code: Decimal(rate) for code, *_, rate in CURRENCIES}
    created = {}
    for code, name, symbol, digits, _ in CURRENCIES:
        currency = Currency(code=code, name=name, symbol=symbol, digits=digits)
        currency.rounding = Decimal(1).scaleb(-digits)
        currency.rates.new(
            date=dt.date(year - 1, 1, 1),
            rate=round(per_dollar[code] / per_dollar[base], 6))
        currency.save()
        created[code] = currency
    return created


def create_company(cfg, name, currency):
    party = Model.get('party.party')(name=name)
    party.save()
    wizard = Wizard('company.company.config')
    wizard.execute('company')
    wizard.form.party = party
    wizard.form.currency = currency
    wizard.execute('add')
    User = Model.get('res.user')
    cfg._context = User.get_preferences(True, {})
    company, = Model.get('company.company').find()
    return company


def create_chart(company):
    Account = Model.get('account.account')
    ModelData = Model.get('ir.model.data')
    Template = Model.get('account.account.template')
    wizard = Wizard('account.create_chart')
    wizard.execute('account')
    wizard.form.account_template = Template(
        ModelData.get_id('account', 'account_template_root_en', {}))
    wizard.form.company = company
    wizard.execute('create_account')
    for kind in ('receivable', 'payable'):
        account, = Account.find(
            [('type.' + kind, '=', True), ('party_required', '=', True)], limit=1)
        setattr(wizard.form, 'account_' + kind, account)
    wizard.execute('create_properties')


def create_fiscal_year(company, year):
    fiscal_year = Model.get('account.fiscalyear')(
        name=str(year), company=company,
        start_date=dt.date(year, 1, 1), end_date=dt.date(year, 12, 31))
    fiscal_year.move_sequence = create_sequence(company, year, "Account Move")
    invoices = create_sequence(company, year, "Invoice")
    sequences, = fiscal_year.invoice_sequences
    for kind in ('out_invoice', 'in_invoice', 'out_credit_note', 'in_credit_note'):
        setattr(sequences, kind + '_sequence', invoices)
    fiscal_year.save()
    fiscal_year.click('create_period')


def create_sequence(company, year, type_name):
    type_, = Model.get('ir.sequence.type').find([('name', '=', type_name)], limit=1)
    sequence = Model.get('ir.sequence.strict')(
        name=str(year), sequence_type=type_, company=company,
        prefix="%s-" % year, padding=5)
    sequence.save()
    return sequence


def create_accounts(company):
    Account = Model.get('account.account')

    def by_code(code):
        account, = Account.find([('code', '=', code)])
        return account

    def add(code, name, like, **values):
        account = Account(
            code=code, name=name, type=like.type, parent=like.parent, company=company, **values)
        account.save()
        return account

    expense, clearing, cash = by_code('5.1.3'), by_code('2.3.7'), by_code('1.1.1')
    for code, name in EXPENSES:
        add(code, name, expense)
    add('2150', "Ramp card clearing", clearing)
    add('2160', "Reimbursements to employees", clearing)
    add('4900', "Ramp cashback", by_code('4.1.0'))
    return {
        'tax': by_code('6.3.6'),
        'exchange': by_code('6.2.1'),
        'bank': add('1010', "Bank", cash),
        }


def set_exchange_accounts(account):
    """Where a bill goes that is paid at another rate than it was booked at."""
    configuration = Model.get('account.configuration')(1)
    configuration.currency_exchange_credit_account = account
    configuration.currency_exchange_debit_account = account
    configuration.save()


def create_taxes(company, account, currency):
    TaxGroup = Model.get('account.tax.group')

    def new_tax(name, rate, **values):
        tax = Model.get('account.tax')(name=name, description=name, company=company, **values)
        if rate:
            tax.type = 'percentage'
            tax.rate = Decimal(rate)
            tax.invoice_account = tax.credit_note_account = account
        else:
            tax.type = 'none'
        tax.save()
        return tax

    new_tax("Tax 10%", '0.10')
    for name, rate in TAXES[currency]:
        new_tax(name, rate)
    for name, parts in COMPOUND_TAXES.get(currency, []):
        whole = new_tax(name, None)
        for part, rate in parts:
            new_tax(part, rate, parent=whole)
    collected = TaxGroup(name="Collected", code='COLLECTED', kind='sale')
    collected.save()
    new_tax("Collected on sales 10%", '0.10', group=collected)


def create_payment_records(company, bank):
    term = Model.get('account.invoice.payment_term')(name="Immediate")
    term.lines.new(type='remainder')
    term.save()
    journal, = Model.get('account.journal').find([('code', '=', 'CASH')])
    Model.get('account.invoice.payment.method')(
        name="Ramp", company=company, journal=journal,
        credit_account=bank, debit_account=bank).save()


def create_departments(company):
    Account = Model.get('analytic_account.account')
    root = Account(name="Department", code='DEP', type='root', company=company)
    root.save()
    for code, name in DEPARTMENTS:
        Account(
            name=name, code=code, type='normal', root=root, parent=root, company=company).save()


def create_vendors():
    Party = Model.get('party.party')
    Country = Model.get('country.country')
    for name in VENDORS:
        Party(name=name).save()
    countries = {}
    for code, name in COUNTRIES:
        countries[code] = Country(name=name, code=code)
        countries[code].save()
    for name, email, country, identifier in DETAILED_VENDORS:
        party = Party(name=name)
        party.addresses[0].country = countries[country]
        if email:
            party.contact_mechanisms.new(type='email', value=email)
        if identifier:
            party.identifiers.new(type='us_ein', code=identifier)
        party.save()


def create_user(company, login, password):
    ModelData = Model.get('ir.model.data')
    Group = Model.get('res.group')
    Company = Model.get('company.company')
    user = Model.get('res.user')(name="Ramp", login=login, password=password)
    user.companies.append(Company(company.id))
    user.save()
    user.company = Company(company.id)
    for module, name in GROUPS:
        user.groups.append(Group(ModelData.get_id(module, name, {})))
    user.save()


def set_admin_password(cfg, password):
    admin = Model.get('res.user')(cfg.user)
    admin.password = password
    admin.save()


if __name__ == '__main__':
    main(json.load(sys.stdin))
