"""Verify attestations of many files: the first, those after it, and what the process holds.

    python bench/attestations.py --count 2000

Each file has two attestations of a Sigstore of the tests. Printed are what the first took, the
rate of the others, asked one after the other and by 64 threads, and the memory of the process that
verifies; more than 16 MiB of growth and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from packages.attestations import Expected
from packages.attestations.verifier import Verifier
from tests.journeys.memory import resident
from tests.signing import ISSUER
from tests.sigstores import PUBLISH, SLSA, statement, the_sigstore

MIB = 1024 * 1024
GROWTH_AT_MOST = 16 * MIB
FILENAME, SHA256 = "frog-1.0.tar.gz", "5" * 64
OCTO = Expected(key=1, kind="github", issuer=ISSUER, source="octo/frog", workflow="release.yml")


def held(verifier: Verifier) -> int:
    """Return what the process that verifies holds."""
    return resident(verifier.pid) if verifier.pid else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    count = parser.parse_args().count
    sent = [
        the_sigstore().attestation(statement(FILENAME, SHA256, kind)) for kind in (PUBLISH, SLSA)
    ]
    raw = json.dumps(sent)
    verifier = Verifier()
    with tempfile.TemporaryDirectory() as folder:
        root = the_sigstore().write_trust_root(Path(folder, "trusted_root.json"))

        def verify(_: int) -> None:
            verifier.verify(raw, filename=FILENAME, sha256=SHA256, expected=[OCTO], trust_root=root)

        began = time.perf_counter()
        verify(0)
        print(f"first: {time.perf_counter() - began:.2f} s")
        before = held(verifier)
        began = time.perf_counter()
        for number in range(count):
            verify(number)
        print(f"one after the other: {(time.perf_counter() - began) / count * 1000:.1f} ms each")
        began = time.perf_counter()
        with ThreadPoolExecutor(64) as pool:
            list(pool.map(verify, range(count)))
        print(f"by 64 threads: {(time.perf_counter() - began) / count * 1000:.1f} ms each")
        after = held(verifier)
        verifier.close()
    print(f"memory: {before // MIB} MiB at first, {after // MIB} MiB in the end")
    return int(after - before > GROWTH_AT_MOST)


if __name__ == "__main__":
    sys.exit(main())
