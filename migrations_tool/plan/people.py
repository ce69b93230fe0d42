"""The customer's contact: what their role in Ramp lets them do. Pure."""

ROLES: tuple[tuple[str, str], ...] = (
    ("", "Not known yet"),
    ("owner", "Owner"),
    ("admin", "Admin"),
    ("it_admin", "IT admin"),
    ("bookkeeper", "Bookkeeper"),
    ("manager", "Manager"),
    ("employee", "Employee"),
)
"""As Ramp's people page names them."""

_MAY_SWITCH = frozenset({"owner", "admin"})


def can_switch(role: str) -> bool | None:
    """Whether somebody of that role finds Switch Providers in Ramp; None if it is not known."""
    return role in _MAY_SWITCH if role else None
