"""The process that verifies: started when needed, alone, bounded, replaced, and gone with us."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from packages import attestations
from packages.attestations import AttestationRefused, Verified, VerifierAway, verifier
from packages.attestations.verifier import MAX_LENGTH, Limits, Verifier
from tests.clients import ROOT
from tests.packages.attestations.conftest import FILENAME, SHA256, expected
from tests.processes import is_running, wait_until
from tests.sigstores import PUBLISH, Sigstore, statement, the_sigstore

AWAY = "Attestations cannot be verified now; nothing was stored. Try again in a minute."

# Has something verified, says what it has loaded and who verifies, and stays.
ASKING = """
import sys, time
from packages.attestations import AttestationRefused
from packages.attestations.verifier import Verifier
verifier = Verifier()
try:
    verifier.verify("{", filename="f", sha256="0", expected=[], trust_root=None)
except AttestationRefused as refused:
    print(refused)
print({name.partition(".")[0] for name in sys.modules} & {"sigstore", "pydantic", "tuf"})
print(verifier.pid, flush=True)
time.sleep(600)
"""

# Tries what the process that verifies shall not do.
OUTWARD = """
import os, socket, subprocess
from packages.attestations.child import WentOut, stay_alone
stay_alone()
for attempt in (
    lambda: socket.socket(),
    lambda: socket.socketpair(),
    lambda: socket.getaddrinfo("localhost", 80),
    lambda: subprocess.run(["true"]),
    lambda: os.system("true"),
    lambda: os.execv("/bin/true", ["true"]),
    lambda: os.posix_spawn("/bin/true", ["true"], {}),
    lambda: os.fork(),
):
    try:
        attempt()
    except WentOut as refused:
        print(refused)
print("none")
"""


@pytest.fixture
def own() -> Iterator[Verifier]:
    """A verifier of one test."""
    own = Verifier()
    yield own
    own.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Verifier]:
    """A verifier that no test does any harm to."""
    shared = Verifier()
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def raw() -> str:
    """What a client sends with a file."""
    return json.dumps([the_sigstore().attestation(statement(FILENAME, SHA256))])


def ask(asked: Verifier, raw: str, trust_root: Path | None, **other: Any) -> Verified:
    usual: dict[str, Any] = {"filename": FILENAME, "sha256": SHA256, "expected": [expected()]}
    return asked.verify(raw, trust_root=trust_root, **(usual | other))


def refusal(asked: Verifier, raw: str, trust_root: Path | None) -> str:
    with pytest.raises(AttestationRefused) as refused:
        ask(asked, raw, trust_root)
    return refused.value.sentence


def is_away(asked: Verifier, raw: str, trust_root: Path | None = None) -> bool:
    with pytest.raises(VerifierAway) as away:
        ask(asked, raw, trust_root)
    return away.value.sentence == AWAY


def pid_of(asked: Verifier) -> int:
    assert asked.pid
    return asked.pid


def test_one_process_verifies_one_file_after_another(
    own: Verifier, raw: str, trust_root: Path
) -> None:
    assert own.pid is None
    assert ask(own, raw, trust_root).attested[0].predicate_type == PUBLISH
    first = pid_of(own)
    assert refusal(own, "[", trust_root) == "The attestations of 'frog-1.0.tar.gz' are no JSON."
    assert ask(own, raw, trust_root).attested
    assert pid_of(own) == first
    own.close()
    assert not is_running(first)


def test_the_setting_says_whom_to_trust(raw: str, trust_root: Path, settings: Any) -> None:
    what: Any = {"filename": FILENAME, "sha256": SHA256, "expected": [expected()]}
    settings.SIGSTORE_TRUST_ROOT = trust_root
    try:
        assert attestations.verify(raw, **what).attested
        settings.SIGSTORE_TRUST_ROOT = None
        with pytest.raises(AttestationRefused, match="no trusted authority"):
            attestations.verify(raw, **what)
    finally:
        verifier._verifier.close()


def test_another_trust_root_is_read_at_once(own: Verifier, raw: str, tmp_path: Path) -> None:
    path = Sigstore().write_trust_root(tmp_path / "root.json")
    assert "no trusted authority" in refusal(own, raw, path)
    first = pid_of(own)
    the_sigstore().write_trust_root(path)
    assert ask(own, raw, path).attested
    assert pid_of(own) != first


def test_without_its_trust_root_nothing_is_verified(
    own: Verifier, raw: str, tmp_path: Path, trust_root: Path
) -> None:
    assert is_away(own, raw, tmp_path / "none.json")
    (tmp_path / "broken.json").write_text("{}")
    assert is_away(own, raw, tmp_path / "broken.json")
    assert ask(own, raw, trust_root).attested


def test_one_that_was_killed_is_replaced(own: Verifier, raw: str, trust_root: Path) -> None:
    ask(own, raw, trust_root)
    first = pid_of(own)
    os.kill(first, signal.SIGKILL)
    assert ask(own, raw, trust_root).attested
    assert pid_of(own) != first


def test_one_that_is_killed_at_work_is_replaced(own: Verifier, raw: str, trust_root: Path) -> None:
    ask(own, raw, trust_root)
    first = pid_of(own)
    os.kill(first, signal.SIGSTOP)  # it cannot answer before it is killed
    killing = threading.Timer(0.2, os.kill, (first, signal.SIGKILL))
    killing.start()
    assert ask(own, raw, trust_root).attested
    killing.join()
    assert pid_of(own) != first
    with pytest.raises(ChildProcessError):  # it was waited for: no zombie
        os.waitpid(first, os.WNOHANG)


def test_one_that_hangs_is_ended_and_the_next_one_asked(
    own: Verifier, raw: str, trust_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(own, raw, trust_root)
    first = pid_of(own)
    os.kill(first, signal.SIGSTOP)
    monkeypatch.setattr(own, "_limits", Limits(seconds=0.1))
    assert is_away(own, raw, trust_root)
    assert not is_running(first)
    monkeypatch.undo()
    assert ask(own, raw, trust_root).attested


@pytest.mark.parametrize("way", ["unable", "talking", "mumbling", "breaking off"])
def test_one_that_is_of_no_use_is_away(
    own: Verifier, raw: str, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(verifier, "_COMMAND", ("tests.odd_helpers", way))
    assert is_away(own, raw)
    assert own.pid is None


def test_what_takes_all_the_time_there_is_is_refused_and_the_next_is_verified(
    own: Verifier, raw: str, trust_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(verifier, "_COMMAND", ("tests.odd_helpers", "busy"))
        assert refusal(own, raw, None) == (
            "The attestations of 'frog-1.0.tar.gz' cannot be verified within 5 seconds of the "
            "processor."
        )
    assert own.pid is None
    assert ask(own, raw, trust_root).attested


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not bound private memory")
def test_one_without_memory_is_away(raw: str, trust_root: Path) -> None:
    large = json.dumps(["x" * 100] * 4_000)
    own = Verifier(Limits(memory=1024 * 1024))
    try:
        assert is_away(own, large, trust_root)
        assert own.pid is None
    finally:
        own.close()


def test_who_waits_too_long_is_told_to_come_again(
    own: Verifier, raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier, "_SECONDS_TO_WAIT", 0.05)
    with own._lock:
        assert is_away(own, raw)


def test_a_hundred_ask_at_once(shared: Verifier, raw: str, trust_root: Path) -> None:
    def one(number: int) -> str:
        if number % 3:
            return ask(shared, raw, trust_root).attested[0].predicate_type
        return refusal(shared, "[" * number, trust_root)

    with ThreadPoolExecutor(100) as pool:
        said = list(pool.map(one, range(100)))
    assert said.count(PUBLISH) == 66
    assert said.count("The attestations of 'frog-1.0.tar.gz' are no JSON.") == 34


def test_what_is_too_long_is_not_read(own: Verifier) -> None:
    assert refusal(own, "x" * (MAX_LENGTH + 1), None) == (
        "The attestations of 'frog-1.0.tar.gz' have more than 512 KiB."
    )
    assert own.pid is None


@pytest.mark.parametrize(
    "sent",
    [
        "[" * MAX_LENGTH,
        '{"a":' * (MAX_LENGTH // 5),
        "[" + "[[[[]]]]," * (MAX_LENGTH // 10) + "1]",
        '["' + "\\ud800" * 1000 + '"]',
        "[" + "9" * (MAX_LENGTH - 2) + "]",
        "\x00" * 1000,
        "\ud800",
        json.dumps([{"version": 1, "verification_material": {"certificate": "A" * 500_000}}]),
    ],
)
def test_what_is_large_or_deep_is_refused_as_anything_else(
    shared: Verifier, sent: str, raw: str, trust_root: Path
) -> None:
    assert "frog-1.0.tar.gz" in refusal(shared, sent, trust_root)
    first = shared.pid
    assert ask(shared, raw, trust_root).attested
    assert shared.pid == first


def test_deep_parts_of_an_attestation_are_refused(
    shared: Verifier, raw: str, trust_root: Path
) -> None:
    deep: Any = json.loads(raw)
    place = deep[0]["verification_material"]["transparency_entries"][0]
    place["more"] = json.loads('{"a":' * 900 + "1" + "}" * 900)
    assert refusal(shared, json.dumps(deep), trust_root).endswith("log entry that cannot be read.")
    nested = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    stated = json.dumps([the_sigstore().attestation(nested)])
    assert refusal(shared, stated, trust_root).endswith("has a statement that cannot be read.")


def test_who_asks_loads_no_library_and_leaves_no_process() -> None:
    asking = subprocess.Popen(
        [sys.executable, "-c", ASKING], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert asking.stdout
    with asking, asking.stdout:
        assert asking.stdout.readline() == "The attestations of 'f' are no JSON.\n"
        assert asking.stdout.readline() == "set()\n"
        verifying = int(asking.stdout.readline())
        assert is_running(verifying)
        asking.kill()
    try:
        wait_until(lambda: not is_running(verifying))
    finally:
        with suppress(ProcessLookupError):
            os.kill(verifying, signal.SIGKILL)


def test_it_reads_no_setting_and_is_told_no_secret(
    shared: Verifier, raw: str, trust_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = (
        "import sys, packages.attestations.child, django.conf\n"
        "assert 'sigstore' in sys.modules\n"
        "assert 'django.db' not in sys.modules\n"
        "assert not django.conf.settings.configured\n"
    )
    subprocess.run([sys.executable, "-c", imported], cwd=ROOT, check=True)
    monkeypatch.setenv("LARDER_CANARY", "a secret")
    ask(shared, raw, trust_root)
    if Path("/proc").is_dir():
        assert b"LARDER" not in Path(f"/proc/{pid_of(shared)}/environ").read_bytes()


def test_it_finds_no_way_out() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUTWARD], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *refused, last = done.stdout.splitlines()
    assert last == "none"
    assert refused == [
        f"The process that verifies attestations does no {event}."
        for event in (
            "socket.__new__",
            "socket.__new__",
            "socket.getaddrinfo",
            "subprocess.Popen",
            "os.system",
            "os.exec",
            "os.posix_spawn",
            "os.fork",
        )
    ]
