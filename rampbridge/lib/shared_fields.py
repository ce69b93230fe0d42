"""Forms that read an address: their fields are made once, and not copied for each request."""

from typing import Any, Self, TypeVar

from django import forms

_Form = TypeVar("_Form", bound=type[forms.Form])


class _Shared(dict[str, forms.Field]):
    """Is its own copy, for `Form` copies what it is declared with."""

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self


def with_shared_fields(form: _Form) -> _Form:
    """A decorator for forms that change none of their fields. To copy thirty of them takes longer
    than to read what the address says."""
    form.base_fields = _Shared(form.base_fields)
    return form
