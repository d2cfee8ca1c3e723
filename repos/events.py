"""The audit of a tenant, for those who administer it: what there is, and what is wanted of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q, QuerySet

from accounts.principal import Principal
from base.models import AuditEvent
from repos.access import NotYours, may_read_audit, require_person, require_superuser


def events_of(tenant: str, *, by: Principal) -> QuerySet[AuditEvent]:
    """Return a tenant's events. Raises SignInRequired, PeopleOnly or NotYours."""
    user = require_person(by)
    if not may_read_audit(user, tenant):
        raise NotYours(f"There is no tenant {tenant} whose audit you may read.")
    return AuditEvent.objects.filter(tenant=tenant)


def events_of_nobody(*, by: Principal) -> QuerySet[AuditEvent]:
    """Return the events of no tenant, such as a new user. Raises as `require_superuser` does."""
    require_superuser(by)
    return AuditEvent.objects.filter(tenant="")


def older_than(events: QuerySet[AuditEvent], at: datetime, pk: int) -> QuerySet[AuditEvent]:
    """Return the events behind the one of this moment and number, be it there or not."""
    # The moment alone once more: the index is entered by it.
    return events.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk), at__lte=at)


def met_by(
    *,
    by: str = "",
    act: str = "",
    about: str = "",
    since: date | None = None,
    until: date | None = None,
) -> Q:
    """Return what a wanted event meets; days are those of UTC, the last one included."""
    found = Q()
    if by:
        found &= Q(actor=by)
    if act:
        found &= Q(action=act)
    if about:
        found &= Q(subject__startswith=about)
    if since:
        found &= Q(at__gte=datetime.combine(since, time.min, UTC))
    if until and until < date.max:
        found &= Q(at__lt=datetime.combine(until + timedelta(days=1), time.min, UTC))
    return found
