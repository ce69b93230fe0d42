# This file is part of trytond-rampbridge. The file LICENSE holds the license terms.
"""Give the users of an existing demo company new passwords: `python renew_passwords.py < plan.json`.

The plan is that of seed.py; only the database, the configuration and the users are read of it.
"""
import json
import sys

from proteus import Model, config


def main(plan):
    config.set_trytond(plan['database'], config_file=plan['config'])
    passwords = {plan['login']: plan['password'], 'admin': plan['admin_password']}
    for user in Model.get('res.user').find([('login', 'in', list(passwords))]):
        user.password = passwords[user.login]
        user.save()


if __name__ == '__main__':
    main(json.load(sys.stdin))
