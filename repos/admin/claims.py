"""The names that a repository declares its own, beneath it in the admin."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.admin_base import UseCaseTabular
from repos.models import Claim, Repository


class ClaimInline(UseCaseTabular[Claim, Repository]):
    """The names that a repository declares its own."""

    tenant_path = "repository__tenant"
    model = Claim
    reads_with = ("repository__tenant",)
    extra = 1
    fields = ("pattern",)
    verbose_name_plural = "claims: names of its own"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A claim is made or taken back, not changed into another."""
        return False
