"""What is compared with what: who takes part, and the cases that all of them run."""

from __future__ import annotations

from dataclasses import dataclass

from bench.speed import cases
from bench.speed.cases import Case, Row
from bench.speed.peers import (
    devpi,
    larder,
    larder_grown,
    larder_hosts,
    proxpi,
    pulp,
    pypiserver,
    simple_repository_server,
    static,
)
from bench.speed.peers.running import Peer


@dataclass(frozen=True)
class Scene:
    """Contestants and cases: a table of its own. With a limit, percentages are of its figures."""

    title: str
    peers: tuple[Peer, ...]  # in this order they start
    names: tuple[str, ...]  # in this order the table has them
    cases: tuple[Case, ...]
    limit: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of the table."""
        return tuple(row for case in self.cases for row in case.rows)


# In this order they start.
_PEERS: tuple[Peer, ...] = (
    larder.PEER,
    static.PEER,
    devpi.PEER,
    pypiserver.PEER,
    simple_repository_server.PEER,
    pulp.PEER,
    proxpi.PEER,
)
# Those that nobody has to have.
OTHERS = tuple(name for peer in _PEERS[2:] for name in peer.names)
# A cache of another index, without files of its own: it answers an easier question than we do.
CACHES = proxpi.PEER.names
# Those that keep files themselves: with them we compare ourselves.
REGISTRIES = tuple(name for name in OTHERS if name not in CACHES)

SIDE_BY_SIDE = Scene(
    "Side by side",
    _PEERS,
    (static.NAME, larder.ALONE, larder.IN_PRODUCTION, *OTHERS),
    cases.SIDE_BY_SIDE,
    limit=static.NAME,
)
GROWTH = Scene("Growth", (larder_grown.PEER,), larder_grown.PEER.names, cases.GROWTH)
HOSTS = Scene("Two hosts", (larder_hosts.PEER,), larder_hosts.PEER.names, cases.HOSTS)
SCENES = (SIDE_BY_SIDE, GROWTH, HOSTS)
ROWS = tuple(row for scene in SCENES for row in scene.rows)
