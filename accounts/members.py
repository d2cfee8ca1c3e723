"""Makes and changes tenants, users, memberships and teams; each change is audited.

A membership carries its owner's grants, team places and tokens: ending it ends them in the
same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from accounts.models import Invitation, Membership, Team, Tenant, User
from base import audit, clock
from base.audit import Actor
from base.errors import LarderError
from base.rows import stored
from base.stamps import configuring, move_access

_TENANT_SETTINGS = ("slug", "name", "host_name", "quota_bytes", "quota_files")
_USER_SETTINGS = ("username", "full_name", "email", "is_active", "is_superuser")


class PasswordStands(LarderError):
    """The account is no longer as it was when its password was shown: no other one is set."""


def save_tenant(tenant: Tenant, *, by: Actor) -> None:
    """Make or change a tenant."""
    with configuring():
        before = stored(tenant)
        tenant.full_clean()
        # Not what is used, which uploads move at the same time.
        tenant.save(update_fields=_TENANT_SETTINGS if before else None)
        move_access()
        audit.record(
            by=by,
            action="tenant.change" if before else "tenant.create",
            tenant=tenant.slug,
            subject=tenant.slug,
            before=_values(before, _TENANT_SETTINGS),
            after=_values(tenant, _TENANT_SETTINGS),
        )


def hash_password(password: str) -> str:
    """Return what is stored of a password. It takes long: nobody is to wait for it meanwhile."""
    return make_password(password)


def save_user(
    user: User, *, by: Actor, password: str | None = None, hashed: str | None = None
) -> None:
    """Make or change a user; `password` sets a new one.

    `hashed` does so too, for who is in a transaction already: `hash_password` comes before that.
    A new service account becomes a member of the tenant that owns it. One that was taken out
    stays out when it is saved again.
    """
    if password is not None:
        hashed = hash_password(password)
    with configuring():
        before = stored(user)
        if hashed is not None:
            user.password = hashed
        elif not user.password:
            user.set_unusable_password()
        user.full_clean()
        # Not the password unless it is new: it may have been changed since this row was read.
        kept = _USER_SETTINGS if hashed is None else (*_USER_SETTINGS, "password")
        user.save(update_fields=kept if before else None)
        if user.service_of is not None and before is None:
            Membership.objects.create(tenant=user.service_of, user=user)
        move_access()
        audit.record(
            by=by,
            action="user.change" if before else "user.create",
            tenant=user.service_of.slug if user.service_of else "",
            subject=user.username,
            before=_user_facts(before),
            after=_user_facts(user) | ({} if hashed is None else {"password_is_new": True}),
        )


def set_password(user: User, *, password: str, by: Actor) -> None:
    """Give a user another password, and change nothing else of who they are by now.

    `user` is as they were when they showed the old one. Raises PasswordStands.
    """
    hashed = hash_password(password)
    with configuring():
        row = User.objects.filter(pk=user.pk, is_active=True).first()
        if row is None or row.password != user.password:
            raise PasswordStands(
                "The account was disabled or given another password meanwhile; this one is not set."
            )
        before = _user_facts(row)
        row.password = hashed
        row.save(update_fields=["password"])
        move_access()
        audit.record(
            by=by,
            action="user.change",
            tenant=row.service_of.slug if row.service_of else "",
            subject=row.username,
            before=before,
            after=_user_facts(row) | {"password_is_new": True},
        )
    user.password = hashed


def service_account(*, tenant: Tenant, name: str, by: Actor) -> User:
    """Make the service account `<tenant>/<name>`, a member of its tenant without a password."""
    user = User(username=f"{tenant.slug}/{name}", service_of=tenant)
    save_user(user, by=by)
    return user


def save_membership(membership: Membership, *, by: Actor) -> None:
    """Make a user a member of a tenant, or change what they are to it; no invitation is left."""
    with configuring():
        before = stored(membership)
        membership.full_clean()
        membership.save()
        invited = Invitation.objects.filter(username=membership.user.username)
        invited.filter(tenant=membership.tenant).delete()
        move_access()
        audit.record(
            by=by,
            action="membership.change" if before else "membership.create",
            tenant=membership.tenant.slug,
            subject=membership.user.username,
            before=_values(before, ("kind",)),
            after=_values(membership, ("kind",)),
        )


def invite(invitation: Invitation, *, by: Actor) -> None:
    """Offer a membership to the user of this exact name.

    Whoever invites hears the same whether the user exists or not, so nothing here looks for one.
    The tenant's own service accounts need no asking: they are back at once.
    """
    tenant, username = invitation.tenant, invitation.username
    own = User.objects.filter(service_of=tenant, username=username).first()
    if own is not None:
        save_membership(Membership(tenant=tenant, user=own, kind=invitation.kind), by=by)
        return
    with configuring():
        if Membership.objects.filter(tenant=tenant, user__username=username).exists():
            raise ValidationError(f"{username} is a member of {tenant} already.")
        invitation.invited_at = clock.now()
        invitation.full_clean()
        invitation.save()
        audit.record(
            by=by,
            action="membership.invite",
            tenant=tenant.slug,
            subject=username,
            after={"kind": invitation.kind},
        )


def withdraw(invitation: Invitation, *, by: Actor) -> None:
    """Take an invitation back."""
    with configuring():
        stored(invitation)
        audit.record(
            by=by,
            action="membership.withdraw",
            tenant=invitation.tenant.slug,
            subject=invitation.username,
            before={"kind": invitation.kind},
        )
        invitation.delete()


def invitations_of(user: User) -> QuerySet[Invitation]:
    """Return the invitations that `user` may answer."""
    if user.service_of_id is not None:
        return Invitation.objects.none()
    waiting = Invitation.objects.filter(username=user.username, declined_at__isnull=True)
    return waiting.select_related("tenant")


def join(invitation: Invitation, *, user: User, by: Actor) -> None:
    """Make the invited user a member, as they wish."""
    with configuring():
        stored(invitation)
        place = Membership(tenant=invitation.tenant, user=user, kind=invitation.kind)
        save_membership(place, by=by)


def decline(invitation: Invitation, *, by: Actor) -> None:
    """Show the invited user the invitation no more. For the tenant it stays as it was."""
    with configuring():
        stored(invitation)
        invitation.declined_at = clock.now()
        invitation.save(update_fields=["declined_at"])
        # Not the tenant's event: it would tell that there is such a user.
        audit.record(
            by=by,
            action="membership.decline",
            tenant="",
            subject=str(invitation),
            after={"declined_at": invitation.declined_at},
        )


def end_membership(membership: Membership, *, by: Actor) -> None:
    """Take a user out of a tenant, with their grants, team places and tokens there."""
    with configuring():
        stored(membership)
        audit.record(
            by=by,
            action="membership.end",
            tenant=membership.tenant.slug,
            subject=membership.user.username,
            before={
                "kind": membership.kind,
                "teams": [team.name for team in membership.teams.all()],
                "tokens": [str(token) for token in membership.tokens.all()],
                "grants": [str(grant) for grant in membership.grants.all()],
            },
        )
        membership.delete()
        move_access()


def save_team(team: Team, *, by: Actor, members: Iterable[Membership] | None = None) -> None:
    """Make or change a team; `members`, when given, replaces who is in it."""
    chosen = None if members is None else list(members)
    if any(member.tenant_id != team.tenant_id for member in chosen or []):
        raise ValidationError("A team takes members of its own tenant.")
    with configuring():
        before = stored(team)
        facts_before = _team_facts(before)
        team.full_clean()
        team.save()
        if chosen is not None:
            team.members.set(chosen)
        move_access()
        audit.record(
            by=by,
            action="team.change" if before else "team.create",
            tenant=team.tenant.slug,
            subject=str(team),
            before=facts_before,
            after=_team_facts(team),
        )


def delete_team(team: Team, *, by: Actor) -> None:
    """Delete a team, with the grants it holds."""
    with configuring():
        stored(team)
        audit.record(
            by=by,
            action="team.delete",
            tenant=team.tenant.slug,
            subject=str(team),
            before=_team_facts(team) | {"grants": [str(grant) for grant in team.grants.all()]},
        )
        team.delete()
        move_access()


def _values(row: Tenant | User | Membership | None, names: Iterable[str]) -> dict[str, object]:
    return {} if row is None else {name: getattr(row, name) for name in names}


def _user_facts(user: User | None) -> dict[str, object]:
    if user is None:
        return {}
    return _values(user, _USER_SETTINGS) | {"has_password": user.has_usable_password()}


def _team_facts(team: Team | None) -> dict[str, object]:
    if team is None:
        return {}
    names = team.members.order_by("user__username").values_list("user__username", flat=True)
    return {"name": team.name, "members": list(names)}
