"""Remembers who was let in to publish where, while the stamps say that nothing of it has changed.

CI sends a release file by file, each with the same token to the same repository. Who that is and
whether they may need not be found out anew for each; one small question tells whether it still
holds, and the transaction that publishes asks it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from accounts import last_use
from accounts.principal import Principal
from base import clock
from base.stamps import access_stamp
from pypi.answer import Ask
from pypi.held_answers import CALLERS_AT_MOST, Latest, WhoWhere, visitor
from repos.targets import Target, target_of_client


@dataclass(slots=True)
class _LetIn:
    principal: Principal
    target: Target
    use_noted_at: datetime


_latest = Latest[WhoWhere, _LetIn](CALLERS_AT_MOST)


def let_in(ask: Ask) -> Target:
    """Return where what `ask` publishes goes, when who asks may publish there.

    Raises as `target_of_client`, or CredentialsRefused.
    """
    shown = (ask.header("authorization"), ask.header("x-jfrog-art-api"))
    who_where = (visitor(*shown), f"{ask.tenant}/{ask.key}")
    held = _latest.get(who_where)
    if held is not None and held.target.still_stands(held.principal):
        ask.is_from(replace(held.principal, address=ask.address))
        _note_use(held)
        return held.target
    _latest.drop(who_where)
    access = access_stamp()  # before anybody is asked who may do what
    target = target_of_client(ask.principal, ask.tenant, ask.key)
    if ask.principal.is_remembered:
        target = replace(target, access=access)
        _latest.hold(who_where, _LetIn(ask.principal, target, clock.now()))
    return target


def _note_use(held: _LetIn) -> None:
    now, token = clock.now(), held.principal.token
    if token is not None and now - held.use_noted_at >= last_use.AT_MOST_EVERY:
        held.use_noted_at = now
        last_use.note_again(token.token_id, now)
