"""Real servers for the tests, started by the test command itself and stopped with it.

Each part is a context manager: it starts a server of its own in a private temporary folder, on a
free loopback port, yields what a client needs, and on the way out (also after Ctrl-C, SIGTERM or
a failure) stops it by its process id and removes the folder. `python -m tests.parts` starts
several of them around one command.
"""

from tests.parts.brokers import (
    MortalBroker,
    folder,
    mortal_rabbitmq,
    mortal_redis,
    pgmq,
    rabbitmq,
    redis,
)
from tests.parts.given import given
from tests.parts.missing import PartMissing, PartRequired
from tests.parts.postgres import postgres
from tests.parts.s3 import S3, moto, rclone

__all__ = [
    "S3",
    "MortalBroker",
    "PartMissing",
    "PartRequired",
    "folder",
    "given",
    "mortal_rabbitmq",
    "mortal_redis",
    "moto",
    "pgmq",
    "postgres",
    "rabbitmq",
    "rclone",
    "redis",
]
