"""Remembers which clients have called lately, so that people see whether theirs is set up.

A request notes the call in memory; every few seconds the notes of a process are written by one
upsert (`base.notes`). What is kept is the last call of each client, person and token in each
repository, for a day.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.db.models import Count, Q

from accounts.models import User
from accounts.principal import Principal
from base import clock
from repos.models import ClientCall, Repository

KEPT_FOR = timedelta(days=1)
# A process holds no more than this between two writings; what comes on top is not told.
_AT_MOST = 500
_OF_ONE_AT_MOST = 20  # of one person and token
_CLIENTS_KEPT = 100  # of one person and token
_PROJECT_AT_MOST = 200
_SENTENCE_AT_MOST = 300
# RFC 9110: a user agent begins with a product and its version.
_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,29})(?:/([A-Za-z0-9_.+-]{1,20}))?")


class _Key(NamedTuple):
    """Whose last call it is."""

    tenant: str
    key: str
    user_id: int
    token_id: int  # 0: came with a password
    client: str


class _Call(NamedTuple):
    at: datetime
    project: str
    is_upload: bool
    refusal: str


_noted: dict[_Key, _Call] = {}
_lock = threading.Lock()


def note(  # noqa: PLR0913 - a call has this many sides
    principal: Principal,
    tenant: str,
    key: str,
    *,
    user_agent: str,
    project: str = "",
    is_upload: bool = False,
    refusal: str = "",
) -> None:
    """Remember that `principal` calls `tenant/key` now; `refusal` is what they heard, if so."""
    client = _client_in(user_agent)
    if principal.user is None or not client:
        return
    token_id = principal.token.token_id if principal.token else 0
    whose = _Key(tenant, key, principal.user.pk, token_id, client)
    # A URL's part as it came: what is no text would keep all the notes from being written.
    project = project[:_PROJECT_AT_MOST] if project.isprintable() else ""
    call = _Call(clock.now(), project, is_upload, refusal[:_SENTENCE_AT_MOST])
    with _lock:
        if whose in _noted or _has_room(whose):
            _noted[whose] = call


@lru_cache(maxsize=256)
def _client_in(user_agent: str) -> str:
    """Return the client's name and version; empty where it does not say."""
    found = _PRODUCT.match(user_agent)
    return " ".join(part for part in found.groups() if part) if found else ""


def _has_room(whose: _Key) -> bool:
    """Say whether one more is remembered; nobody takes the room of all others."""
    own = sum((each.user_id, each.token_id) == (whose.user_id, whose.token_id) for each in _noted)
    return len(_noted) < _AT_MOST and own < _OF_ONE_AT_MOST


def write_down() -> None:
    """Write the notes of this process into rows; calls of what is not there are forgotten."""
    with _lock:
        noted = dict(_noted)
        _noted.clear()
    if not noted:
        return
    repositories = _named({(whose.tenant, whose.key) for whose in noted})
    rows = [
        ClientCall(
            repository_id=repositories[whose.tenant, whose.key],
            user_id=whose.user_id,
            token_id=whose.token_id,
            client=whose.client,
            at=call.at,
            project=call.project,
            is_upload=call.is_upload,
            refusal=call.refusal,
        )
        for whose, call in noted.items()
        if (whose.tenant, whose.key) in repositories
    ]
    # In one order: no two processes deadlock.
    rows.sort(key=lambda row: (row.repository_id, row.user_id, row.token_id, row.client))
    ClientCall.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["repository", "user", "token_id", "client"],
        update_fields=["at", "project", "is_upload", "refusal"],
    )


def last_call(
    repository: Repository, user: User, *, token_id: int | None = None
) -> ClientCall | None:
    """Return the last call of one of the user's clients; with `token_id`, with that token."""
    calls = ClientCall.objects.filter(repository=repository, user=user)
    if token_id is not None:
        calls = calls.filter(token_id=token_id)
    return calls.filter(at__gt=clock.now() - KEPT_FOR).order_by("-at").first()


def forget() -> int:
    """Remove the calls of more than a day ago, and say how many they were.

    Of one person and token only the latest clients are kept: whoever invents names for theirs
    fills no table with them.
    """
    count, _ = ClientCall.objects.filter(at__lte=clock.now() - KEPT_FOR).delete()
    owners = ClientCall.objects.values("user", "token_id").annotate(clients=Count("pk"))
    for owner in owners.filter(clients__gt=_CLIENTS_KEPT):
        own = ClientCall.objects.filter(user=owner["user"], token_id=owner["token_id"])
        latest = own.order_by("-at", "-pk").values_list("pk", flat=True)[:_CLIENTS_KEPT]
        removed, _ = own.exclude(pk__in=list(latest)).delete()
        count += removed
    return count


def _named(names: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
    """Return the ids of the repositories that are there."""
    wanted = Q(pk__in=[])
    for tenant, key in names:
        wanted |= Q(tenant__slug=tenant, key=key)
    there = Repository.objects.filter(wanted, deleted_at__isnull=True)
    return {(tenant, key): pk for tenant, key, pk in there.values_list("tenant__slug", "key", "pk")}
