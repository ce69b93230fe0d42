from django import forms

from rampbridge.lib.shared_fields import with_shared_fields


@with_shared_fields
class Filter(forms.Form):
    size = forms.IntegerField(required=False)


def test_a_form_reads_for_itself_though_its_fields_are_everybodys() -> None:
    one, other = Filter({"size": "1"}), Filter({"size": "nonsense"})

    assert one.is_valid()
    assert not other.is_valid()
    assert one.cleaned_data == {"size": 1}
    assert one.fields["size"] is other.fields["size"]
