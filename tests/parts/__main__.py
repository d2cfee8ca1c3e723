"""Start the named parts, run one command among them, pass on its exit code, stop everything.

    python -m tests.parts postgres moto [--durable] -- COMMAND [ARGUMENT...]

The command finds the parts in the environment: LARDER_DATABASE_URL, LARDER_STORAGE_URL,
LARDER_BROKER_URL and the AWS keys are set to the first part of each sort, LARDER_TEST_PARTS names
the URL of every part. Exit code 69 means that a part is missing and the command did not run; where
REQUIRE_PARTS=all that is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType

from tests.parts import brokers, s3
from tests.parts.given import VARIABLE
from tests.parts.missing import PartMissing, PartRequired
from tests.parts.postgres import postgres

UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
PARTS = ("postgres", "pgmq", "redis", "rabbitmq", "folder", "moto", "rclone")
SORTS = {
    "postgres": "LARDER_DATABASE_URL",
    **dict.fromkeys(("pgmq", "redis", "rabbitmq", "folder"), "LARDER_BROKER_URL"),
    **dict.fromkeys(("moto", "rclone"), "LARDER_STORAGE_URL"),
}


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code."""
    own, command = _split(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m tests.parts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--durable", action="store_true", help="PostgreSQL with fsync, for crashes")
    options = parser.parse_args(own)
    if not command:
        parser.error("name a command after `--`")
    if "pgmq" in options.parts and "postgres" not in options.parts:
        parser.error("pgmq needs postgres beside it")
    try:
        with running(options.parts, durable=options.durable) as environment:
            return run(command, environment)
    except PartMissing:
        return UNAVAILABLE
    except PartRequired:
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


@contextmanager
def running(parts: Sequence[str], *, durable: bool = False) -> Iterator[dict[str, str]]:
    """Start the parts and yield the variables by which a process finds them."""
    urls: dict[str, str] = {}
    environment: dict[str, str] = {}
    with ExitStack() as stack:
        for part in sorted(dict.fromkeys(parts), key=lambda name: name == "pgmq"):
            match part:
                case "postgres":
                    urls[part] = stack.enter_context(postgres(durable=durable))
                case "pgmq":
                    urls[part] = stack.enter_context(brokers.pgmq(urls["postgres"]))
                case "moto" | "rclone":
                    server = stack.enter_context(getattr(s3, part)())
                    urls[part] = server.url()
                    environment |= server.environment()
                case _:
                    urls[part] = stack.enter_context(getattr(brokers, part)())
        for part in parts:
            environment.setdefault(SORTS[part], urls[part])
        yield {**environment, VARIABLE: json.dumps(urls)}


def run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run the command, pass signals on to it, and return its exit code as a shell would."""
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []  # what came before there was anything to pass it on to

    def forward(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and sys.stdin.isatty():
            return  # a terminal told the command already
        if process is None:
            early.append(number)
        else:
            process.send_signal(number)

    before = {
        number: signal.signal(number, forward)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        process = subprocess.Popen(command, env={**os.environ, **environment})
        for number in early:
            process.send_signal(number)
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    here = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:here]), list(arguments[here + 1 :])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
