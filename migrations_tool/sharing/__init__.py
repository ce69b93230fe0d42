"""What the customer sees of a migration, behind a link that nobody can guess and that ends."""

from migrations_tool.sharing.links import LinkGone, make, open_link, revoke, revoke_all

__all__ = ["LinkGone", "make", "open_link", "revoke", "revoke_all"]
