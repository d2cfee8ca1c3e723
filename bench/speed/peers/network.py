"""Machines on this machine: network namespaces that reach each other by a bridge. It needs root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench.speed.results import NOT_RUN, Void

# What is set apart for benches of networks (RFC 2544).
_NETWORK = "198.18.77"
ADDRESS = f"{_NETWORK}.1"  # of this machine, for the others
_BRIDGE = "larder-bench"


@dataclass(frozen=True)
class Host:
    """A machine of its own, by its network."""

    name: str
    address: str

    def command(self, command: Sequence[str]) -> list[str]:
        """Return a command as it is run there."""
        return ["ip", "netns", "exec", self.name, *command]


@contextmanager
def hosts(number: int) -> Iterator[list[Host]]:
    """Make so many machines, and take them away afterwards."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise Void(f"{NOT_RUN}network namespaces need root, and `ip` of iproute2")
    with ExitStack() as stack:
        _ip("link", "add", _BRIDGE, "type", "bridge")
        stack.callback(_ip, "link", "del", _BRIDGE)
        _ip("address", "add", f"{ADDRESS}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        yield [_host(stack, each) for each in range(1, number + 1)]


def _host(stack: ExitStack, number: int) -> Host:
    host, cable = Host(f"{_BRIDGE}-{number}", f"{_NETWORK}.{10 + number}"), f"larder-cable{number}"
    _ip("netns", "add", host.name)
    stack.callback(_ip, "netns", "del", host.name)  # its end of the cable goes with it
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
    _ip("link", "set", cable, "master", _BRIDGE, "up")
    within = ("-n", host.name)
    _ip(*within, "address", "add", f"{host.address}/24", "dev", "eth0")
    _ip(*within, "link", "set", "eth0", "up")
    _ip(*within, "link", "set", "lo", "up")
    return host


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Void(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
