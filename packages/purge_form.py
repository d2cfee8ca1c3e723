"""The form that purges what a remote keeps: which files, and its name typed."""

from __future__ import annotations

from django import forms

from accounts.principal import Principal
from packages import purge
from packages.models import CachePurge
from repos.models import Repository

DAYS_AT_MOST = 36_500


class PurgeForm(forms.Form):
    """Which kept files are to go: all of them, or what is old."""

    fetched_days = forms.IntegerField(
        label="Fetched so many days ago or earlier",
        min_value=0,
        max_value=DAYS_AT_MOST,
        required=False,
    )
    unused_days = forms.IntegerField(
        label="Not asked for in so many days",
        min_value=0,
        max_value=DAYS_AT_MOST,
        required=False,
        help_text="With both, files go for which both are true; with neither, all of them.",
    )
    typed = forms.CharField(
        label="The repository's name",
        max_length=300,
        required=False,
        strip=True,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
        ),
    )

    def ask(self, remote: Repository, *, by: Principal) -> CachePurge:
        """Have what the form says purged, by the use case."""
        said = self.cleaned_data
        return purge.ask(
            remote,
            typed=said["typed"],
            by=by,
            fetched_days=said["fetched_days"] or 0,
            unused_days=said["unused_days"] or 0,
        )
