"""The forms of tokens: what limits one, in the admin, on people's own page and beside set-up.

The answer to a form that makes a token shows the secret, and reloading that answer sends the form
again. So each form has a key, which is taken once.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Membership, Token
from accounts.roles import Role
from base import clock
from repos.models import Repository
from repos.narrowing import normal_patterns, wider_limits

LIFETIMES = {1: "a day", 7: "a week", 30: "30 days", 90: "90 days", 365: "a year"}
USUAL_LIFETIME = 30
ROLES_IN_WORDS = {
    Role.READER: "read",
    Role.WRITER: "read and publish",
    Role.ADMIN: "read, publish and administer",
}

_USED_FORMS = "used token forms"
_REMEMBERED = 20


def new_form_key() -> str:
    """Return a key for a form that is taken once."""
    return secrets.token_urlsafe(16)


def is_used(request: HttpRequest) -> bool:
    """Say whether the form that was sent has been taken before."""
    return request.POST.get("form_key", "") in request.session.get(_USED_FORMS, [])


def remember_used(request: HttpRequest) -> None:
    """Take the form that was sent, and never again."""
    used = request.session.get(_USED_FORMS, [])[1 - _REMEMBERED :]
    request.session[_USED_FORMS] = [*used, request.POST.get("form_key", "")]


class TokenLimitsForm(forms.ModelForm[Token]):
    """What a token may do at most."""

    # Set where what stands may be taken from and not added to.
    narrows_only = False

    project_patterns = forms.CharField(
        label="Projects",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What it may publish, yank and delete: a name or acme-* a line. Empty: all.",
    )
    form_key = forms.CharField(widget=forms.HiddenInput, required=False)

    repositories = forms.ModelMultipleChoiceField(
        Repository.objects.filter(deleted_at__isnull=True).select_related("tenant"),
        required=False,
        help_text="Where it works, unless it works everywhere.",
    )

    class Meta:
        model = Token
        fields: tuple[str, ...] = (
            "name",
            "role",
            "all_repositories",
            "project_patterns",
            "expires_at",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(*args, **kwargs)
        self.initial["project_patterns"] = "\n".join(self.instance.project_patterns)
        self.initial["form_key"] = new_form_key()
        if self.instance.pk:
            self.initial["repositories"] = list(
                self.instance.repositories.values_list("repository_id", flat=True)
            )

    def owner(self) -> Membership | None:
        """Return whose token it is, where that is known."""
        return getattr(self.instance, "membership", None)

    def clean_project_patterns(self) -> list[str]:
        """Return the lines as patterns, normalised as project names are."""
        return normal_patterns(self.cleaned_data["project_patterns"].split())

    def clean(self) -> dict[str, Any]:
        """Refuse repositories of another tenant, and more than may be given."""
        cleaned = super().clean() or {}
        if self.narrows_only and not self.errors:
            for name in self._wider(cleaned):
                self.add_error(name, "You may take from this token, not add to it.")
        owner = self.owner()
        chosen = cleaned.get("repositories") or []
        if owner and any(each.tenant_id != owner.tenant_id for each in chosen):
            self.add_error("repositories", "Choose repositories of the token's tenant.")
        return cleaned

    def _wider(self, asked: dict[str, Any]) -> Iterable[str]:
        return wider_limits(
            self.instance,
            role=asked["role"],
            repositories=None if asked["all_repositories"] else asked["repositories"],
            project_patterns=asked["project_patterns"],
            expires_at=asked["expires_at"],
        )


class OwnTokenForm(TokenLimitsForm):
    """A token that somebody makes for themselves in one tenant, or narrows."""

    expires_at = forms.ChoiceField(label="It works for", required=False)

    class Meta(TokenLimitsForm.Meta):
        labels: ClassVar = {
            "name": "What it is for",
            "role": "It may",
            "all_repositories": "It works wherever I may work",
        }

    def __init__(self, *args: Any, there: QuerySet[Repository], **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        """`there` are the repositories that may be chosen."""
        super().__init__(*args, **kwargs)
        self.narrows_only = self.instance.pk is not None
        most = self.instance.role if self.narrows_only else max(Role)
        self.fields["role"].choices = [  # type: ignore[attr-defined]  # of a choice field
            (role.value, words) for role, words in ROLES_IN_WORDS.items() if role <= most
        ]
        self.fields["role"].help_text = "At most: where you may less, it may less."
        self.fields["name"].help_text = "Laptop or CI, for example: so that you know it again."
        self.fields["all_repositories"].help_text = "Off: only in the repositories chosen below."
        self.fields["repositories"].queryset = there  # type: ignore[attr-defined]  # the same
        self.fields["repositories"].widget = forms.CheckboxSelectMultiple()
        self.fields["repositories"].widget.choices = self.fields["repositories"].choices  # type: ignore[attr-defined]  # the same
        self.fields["repositories"].help_text = ""
        self._set_lifetimes()
        if not self.narrows_only:
            self.initial.update({"role": Role.READER, "all_repositories": False})

    def _set_lifetimes(self) -> None:
        """Offer the ends that come before the present one."""
        ends, now = self.instance.expires_at, clock.now()
        sooner = [
            (str(days), words)
            for days, words in LIFETIMES.items()
            if ends is None or now + timedelta(days=days) < ends
        ]
        last = "until it is revoked"
        if ends is not None:
            last = f"until {timezone.localtime(ends):%Y-%m-%d %H:%M} UTC, as it is"
        self.fields["expires_at"].choices = [*sooner, ("", last)]  # type: ignore[attr-defined]  # the same
        self.initial["expires_at"] = "" if self.narrows_only else str(USUAL_LIFETIME)

    def clean_expires_at(self) -> datetime | None:
        """Return the moment at which the token ends."""
        days: str = self.cleaned_data["expires_at"]
        return clock.now() + timedelta(days=int(days)) if days else self.instance.expires_at

    def clean(self) -> dict[str, Any]:
        """Refuse a token that would work nowhere."""
        cleaned = super().clean()
        if not cleaned.get("all_repositories") and not cleaned.get("repositories"):
            self.add_error("repositories", "Choose where it works.")
        return cleaned
