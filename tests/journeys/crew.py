"""Further workers and beats of a running Larder, each of which may be killed and started again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients import ROOT
from tests.journeys.larder import Larder, procfile, under
from tests.parts.processes import private_folder

STOP_SECONDS = 30


@dataclass
class Crew:
    """The processes, by what they are: worker-1, worker-2, beat-1, ..."""

    larder: Larder
    folder: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a process as the Procfile does."""
        kind = name.partition("-")[0]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                under(self.larder.environment, procfile(kind)),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """End a process without a word."""
        self._running[name].kill()
        self._running.pop(name).wait()

    def stop(self) -> None:
        """End all of them politely."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def dead(self) -> list[str]:
        """Return those that ended by themselves: none should."""
        return [name for name, process in self._running.items() if process.poll() is not None]

    def logs(self) -> str:
        """Return the last of what they said."""
        return "\n".join(
            f"{log.name}:\n{log.read_text(errors='replace')[-5000:]}"
            for log in sorted(self.folder.glob("*.log"))
        )


@contextmanager
def crew(larder: Larder, *names: str) -> Iterator[Crew]:
    """Run the named processes until the block ends."""
    with private_folder("crew") as folder:
        running = Crew(larder, folder)
        try:
            for name in names:
                running.start(name)
            yield running
        finally:
            running.stop()
