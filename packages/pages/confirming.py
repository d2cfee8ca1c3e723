"""Forms that ask for a name to be typed where they would do harm by mistake."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

REASON_AT_MOST = 500


class ConfirmedForm(forms.Form):
    """A form that goes on once the name of what it changes was typed."""

    typed = forms.CharField(label="The project's name", max_length=255, required=False, strip=True)

    def __init__(self, *args: Any, names: Sequence[str], **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        """Take the spellings of the name; the first is the one that is asked for."""
        super().__init__(*args, **kwargs)
        self.names = names
        self.fields["typed"].widget.attrs["autocomplete"] = "off"
        self.fields["typed"].help_text = f"Type {names[0]} to go on."

    def clean_typed(self) -> str:
        """Refuse any other name, in whatever spelling it was meant."""
        typed: str = self.cleaned_data["typed"]
        if self.is_dangerous() and typed not in self.names:
            raise forms.ValidationError(f"Type {self.names[0]} here to go on.")
        return typed

    def is_dangerous(self) -> bool:
        """Say whether the name has to be typed."""
        return True


class YankForm(ConfirmedForm):
    """Why something is yanked."""

    reason = forms.CharField(
        label="Reason",
        max_length=REASON_AT_MOST,
        help_text="Installers print it to whoever pins this version.",
    )
    field_order: Iterable[str] | None = ("reason", "typed")
