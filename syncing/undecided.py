"""Items of which a second person is asked whether they are in the ERP already (P-12).

Until that person answers nothing may queue them: they would be posted a second time. Whoever queues
what has failed says so in its statement.
"""


def nobody_is_asked(item: str) -> str:
    """SQL: no second person is asked about an item.

    :param item: the name that the statement has for `syncing_syncitem`; a constant of ours
    """
    return f"""
        NOT EXISTS (SELECT FROM syncing_settlement d
                    WHERE d.item_id = {item}.id AND d.state = 'asked')
        AND NOT EXISTS (SELECT FROM syncing_outsidemark d
                        WHERE d.item_id = {item}.id AND d.state = 'asked')
    """  # noqa: S608  a constant of this program
