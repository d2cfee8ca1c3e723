"""Remembers who was let in to publish where, while the stamps say that nothing of it has changed.

CI sends a release file by file, each with the same token to the same repository. Who that is and
whether they may need not be found out anew for each; one small question tells whether it still
holds, and the transaction that publishes asks it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from accounts.principal import Principal
from base import clock
from base.stamps import access_stamp
from pypi.answer import Ask
from pypi.held_answers import CALLERS_AT_MOST, Latest, NotedUse, WhoWhere, visitor
from repos.targets import Target, target_of_client


@dataclass(slots=True)
class _LetIn:
    principal: Principal
    target: Target
    use: NotedUse


_latest = Latest[WhoWhere, _LetIn](CALLERS_AT_MOST)


def let_in(ask: Ask) -> Target:
    """Return where what `ask` publishes goes, when who asks may publish there.

    Raises as `target_of_client`, or CredentialsRefused.
    """
    who_where = (visitor(*ask.shown), f"{ask.tenant}/{ask.key}")
    held = _latest.get(who_where)
    if held is not None and held.target.still_stands(held.principal):
        ask.is_from(replace(held.principal, address=ask.address))
        held.use.note(held.principal, clock.now())
        return held.target
    _latest.drop(who_where)
    access = access_stamp()  # before anybody is asked who may do what
    target = target_of_client(ask.principal, ask.tenant, ask.key)
    if ask.principal.is_remembered:
        target = replace(target, access=access)
        _latest.hold(who_where, _LetIn(ask.principal, target, NotedUse(clock.now())))
    return target
