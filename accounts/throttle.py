"""Counts wrong credentials, and stops looking at passwords when there were too many.

Counted in the database, because a guesser is answered by every process in turn. Whoever counts
holds the row of the whole installation until it commits: counting goes one at a time over all
processes, on every database, and nothing here can deadlock.

A right password is counted nowhere, but asks once more, in the same line as those who count: of
many guesses sent side by side, one that is right is let in only while the limit is not reached.
That asking is also how a count that cannot be written keeps passwords out (decision 0009).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import IPv6Address, ip_network

import structlog
from django.db import DatabaseError, transaction
from django.utils.crypto import salted_hmac

from accounts.models import SignInFailures
from base import clock
from base.errors import LarderError
from base.hosts import parse_address

log = structlog.get_logger(__name__)

WINDOW = timedelta(minutes=5)
PER_ACCOUNT = 10
PER_ADDRESS = 10
PER_ADDRESS_OF_CI = 30  # a matrix of jobs is set up wrongly all at once
IN_ALL = 1000

# The answer to the first wrong credential of a window waits this long, to the second twice, and
# so on. An address gets ten and the installation a thousand of them in five minutes, so that on
# average fewer than four threads wait.
_PAUSE_SECONDS = 0.1
_PAUSE_SECONDS_AT_MOST = 1.0

_ALL = "all"
_ALL_OF_CI = "ci"
# Whoever has one address of IPv6 has the whole /64.
_IPV6_HOME = 64

sleep = time.sleep  # tests put something quicker here


class TooManyFailures(LarderError):
    """Too many wrong credentials came lately; `retry_after` says in how many seconds to return."""

    def __init__(self, sentence: str, *, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class FailuresUncounted(LarderError):
    """The count cannot be read or written now, and then no password is let in."""


def require_room(*, address: str, account: str) -> None:
    """Raise TooManyFailures when no password for `account`, known or not, is looked at now."""
    limits = _limits(address, account)
    with _closed_without_count():
        _require_room(_windows(limits), limits)


def require_room_still(*, address: str, account: str) -> None:
    """Do as `require_room` does, after all who count at this moment: the password was right."""
    limits = _limits(address, account)
    with _closed_without_count(), _one_at_a_time():
        _require_room(_windows(limits), limits)


def count_failure(*, address: str, account: str | None = None) -> None:
    """Count a wrong credential, and wait a little, the longer the more there were.

    `account` is the user name that came with a password; None for a token, which names nobody.
    Raises TooManyFailures when a limit is reached already. Then nothing is counted: a blocked
    guesser does not use up what the others have left.
    """
    windows = _count(_limits(address, account))
    own = max((each.count for each in windows if each.subject != _ALL), default=1)
    sleep(min(_PAUSE_SECONDS * own, _PAUSE_SECONDS_AT_MOST))


def count_exchange(*, address: str) -> None:
    """Count what CI showed in vain (decision 0014). Raises TooManyFailures.

    Apart from passwords and tokens, and without a wait: it was signed by somebody, and is no
    guess. So a job that is set up wrongly keeps no password out that is typed at its address.
    """
    limits = {_ALL_OF_CI: IN_ALL}
    if home := _home(address):
        limits[f"{_ALL_OF_CI}:{home}"] = PER_ADDRESS_OF_CI
    _count(limits)


def _count(limits: Mapping[str, int]) -> list[SignInFailures]:
    """Count a failure for each subject, and return their windows. Raises TooManyFailures."""
    with _closed_without_count():
        _require_room(_windows(limits), limits)  # whoever is blocked costs one query and no lock
        with _one_at_a_time():
            windows = _windows(limits)
            _require_room(windows, limits)
            _add_one(windows)
    _report_full(windows, limits)
    return windows


def _limits(address: str, account: str | None) -> dict[str, int]:
    """Return how many failures each subject has in a window, the installation among them."""
    limits = {_ALL: IN_ALL}
    if home := _home(address):
        limits[f"address:{home}"] = PER_ADDRESS
    if account is not None:
        # Keyed: what is typed as a user name is now and then the password.
        digest = salted_hmac("accounts.throttle", account.lower(), algorithm="sha256")
        limits[f"account:{digest.hexdigest()}"] = PER_ACCOUNT
    return limits


def _home(address: str) -> str:
    """Return what counts as one address; empty where it is none."""
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _IPV6_HOME), strict=False))
    return "" if parsed is None else str(parsed)


def _windows(subjects: Iterable[str]) -> list[SignInFailures]:
    """Return the open window of each subject, a new one where there is none."""
    now = clock.now()
    opened = SignInFailures.objects.filter(window_ends_at__gt=now).in_bulk(list(subjects))
    return [
        opened.get(subject) or SignInFailures(subject=subject, window_ends_at=now + WINDOW)
        for subject in subjects
    ]


def _require_room(windows: Iterable[SignInFailures], limits: Mapping[str, int]) -> None:
    ends = [each.window_ends_at for each in windows if each.count >= limits[each.subject]]
    if ends:
        seconds = max(1, math.ceil((max(ends) - clock.now()).total_seconds()))
        raise TooManyFailures(
            f"Too many wrong passwords or tokens. Try again in {seconds} seconds.",
            retry_after=seconds,
        )


@contextmanager
def _closed_without_count() -> Iterator[None]:
    try:
        yield
    except DatabaseError:
        raise FailuresUncounted(
            "Passwords cannot be checked at the moment. Try again soon, or use a token."
        ) from None


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    # durable: what is counted within a greater transaction would go if that were rolled back.
    with transaction.atomic(durable=True):
        ended = SignInFailures(subject=_ALL, window_ends_at=clock.now())
        SignInFailures.objects.bulk_create([ended], ignore_conflicts=True)
        SignInFailures.objects.select_for_update().get(pk=_ALL)
        yield


def _add_one(windows: list[SignInFailures]) -> None:
    for window in windows:
        window.count += 1
        if window.subject in {_ALL, _ALL_OF_CI} and window.count == 1:
            # What is over goes when a window of the whole installation begins, so the table
            # never holds more than two of those windows saw.
            ended = SignInFailures.objects.filter(window_ends_at__lte=clock.now())
            ended.exclude(pk=_ALL).delete()
    SignInFailures.objects.bulk_create(
        windows,
        update_conflicts=True,
        unique_fields=["subject"],
        update_fields=["count", "window_ends_at"],
    )


def _report_full(windows: Iterable[SignInFailures], limits: Mapping[str, int]) -> None:
    for window in windows:
        if window.count == limits[window.subject]:
            log.warning(
                "too many wrong credentials: they are refused unlooked at until the window ends",
                subject=window.subject,
                ends=window.window_ends_at.isoformat(),
            )
