"""Why an item cannot be settled so."""


class NotSettled(Exception):
    """Nothing was done. The message is fit to show: what is in the way, and what to do."""


CHANGED = "Somebody, or rampbridge itself, has just moved this item. Look at it again, then decide."
