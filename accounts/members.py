"""Makes and changes tenants, users, memberships and teams; each change is audited.

A membership carries its owner's grants, team places and tokens: ending it ends them in the
same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Membership, Team, Tenant, User
from base import audit, stamps
from base.audit import Actor


def save_tenant(tenant: Tenant, *, by: Actor) -> None:
    """Make or change a tenant."""
    action = "tenant.change" if tenant.pk else "tenant.create"
    tenant.full_clean()
    with transaction.atomic():
        # Not `used_bytes`, which uploads move at the same time.
        tenant.save(
            update_fields=["slug", "name", "host_name", "quota_bytes"] if tenant.pk else None
        )
        stamps.move_access()
        audit.record(
            by=by,
            action=action,
            tenant=tenant.slug,
            subject=tenant.slug,
            after={
                "name": tenant.name,
                "host_name": tenant.host_name,
                "quota_bytes": tenant.quota_bytes,
            },
        )


def save_user(user: User, *, by: Actor, password: str | None = None) -> None:
    """Make or change a user; `password` sets a new one."""
    action = "user.change" if user.pk else "user.create"
    if password is not None:
        user.set_password(password)
    elif not user.password:
        user.set_unusable_password()
    user.full_clean()
    with transaction.atomic():
        user.save()
        if user.service_of is not None and not user.memberships.exists():
            Membership.objects.create(tenant=user.service_of, user=user)
        stamps.move_access()
        audit.record(
            by=by,
            action=action,
            tenant=user.service_of.slug if user.service_of else "",
            subject=user.username,
            after={
                "is_active": user.is_active,
                "is_superuser": user.is_superuser,
                "password_set": password is not None,
            },
        )


def service_account(*, tenant: Tenant, name: str, by: Actor) -> User:
    """Make the service account `<tenant>/<name>`, a member of its tenant without a password."""
    user = User(username=f"{tenant.slug}/{name}", service_of=tenant)
    save_user(user, by=by)
    return user


def save_membership(membership: Membership, *, by: Actor) -> None:
    """Make a user a member of a tenant, or change what they are to it."""
    action = "membership.change" if membership.pk else "membership.create"
    membership.full_clean()
    with transaction.atomic():
        membership.save()
        stamps.move_access()
        audit.record(
            by=by,
            action=action,
            tenant=membership.tenant.slug,
            subject=membership.user.username,
            after={"kind": membership.kind},
        )


def end_membership(membership: Membership, *, by: Actor) -> None:
    """Take a user out of a tenant, with their grants, team places and tokens there."""
    with transaction.atomic():
        audit.record(
            by=by,
            action="membership.end",
            tenant=membership.tenant.slug,
            subject=membership.user.username,
            before={"kind": membership.kind},
        )
        membership.delete()
        stamps.move_access()


def save_team(team: Team, *, by: Actor, members: Iterable[Membership] | None = None) -> None:
    """Make or change a team; `members`, when given, replaces who is in it."""
    chosen = None if members is None else list(members)
    if any(member.tenant_id != team.tenant_id for member in chosen or []):
        raise ValidationError("A team takes members of its own tenant.")
    action = "team.change" if team.pk else "team.create"
    team.full_clean()
    with transaction.atomic():
        team.save()
        if chosen is not None:
            team.members.set(chosen)
        stamps.move_access()
        audit.record(
            by=by,
            action=action,
            tenant=team.tenant.slug,
            subject=str(team),
            after={"members": sorted(member.user.username for member in chosen or [])},
        )


def delete_team(team: Team, *, by: Actor) -> None:
    """Delete a team, with the grants it holds."""
    with transaction.atomic():
        audit.record(by=by, action="team.delete", tenant=team.tenant.slug, subject=str(team))
        team.delete()
        stamps.move_access()
