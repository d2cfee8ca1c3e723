"""Two S3 servers, because each is right where the other is wrong.

moto answers ranges, conditional writes and checksums as the real one does, but takes any
signature. rclone refuses bad and expired signatures, but answers a range with the whole object
and ignores `If-None-Match`. So storage tests run on both: semantics on moto, signatures on rclone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import boto3

from tests.parts.missing import missing
from tests.parts.processes import Server, accepts, executable, private_folder, server

BUCKET = "larder"
REGION = "us-east-1"
ACCESS_KEY = "larder-tests"
SECRET_KEY = "larder-tests-secret"


@dataclass(frozen=True)
class S3:
    """A running S3 server and the one key that it was given."""

    endpoint: str
    access_key: str
    secret_key: str
    pid: int

    def url(self, bucket: str = BUCKET, prefix: str = "blobs") -> str:
        """Return the LARDER_STORAGE_URL of a bucket."""
        query = urlencode({"endpoint": self.endpoint, "region": REGION}, safe=":/")
        return f"s3://{bucket}/{prefix}?{query}"

    def environment(self) -> dict[str, str]:
        """Return the variables by which any AWS client, Larder too, finds its credentials."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def make_bucket(self, bucket: str) -> str:
        """Make a bucket and return its LARDER_STORAGE_URL."""
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )
        client.create_bucket(Bucket=bucket)
        client.close()
        return self.url(bucket)


@contextmanager
def moto(address: str = "127.0.0.1") -> Iterator[S3]:
    """Run moto's server, the reference for semantics, with the bucket `larder` in it."""
    program = _beside_python("moto_server", "requirements/dev.txt")
    with (
        private_folder("moto") as folder,
        server(
            folder,
            lambda port: [program, "-H", address, "-p", str(port)],
            answers=lambda port: accepts(port, address),
        ) as running,
    ):
        yield _with_bucket(running, address)


@contextmanager
def rclone() -> Iterator[S3]:
    """Run rclone's server, the reference for signatures, with the bucket `larder` in it."""
    program = _beside_python("rclone", "requirements/dev.txt")
    with private_folder("rclone") as folder:
        objects = folder / "objects"
        objects.mkdir()
        command = [program, "serve", "s3", "--config", "", "--cache-dir", str(folder / "cache")]
        command += ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"]
        with server(
            folder, lambda port: [*command, "--addr", f"127.0.0.1:{port}", str(objects)]
        ) as running:
            yield _with_bucket(running)


def _with_bucket(running: Server, address: str = "127.0.0.1") -> S3:
    s3 = S3(f"http://{address}:{running.port}", ACCESS_KEY, SECRET_KEY, running.pid)
    s3.make_bucket(BUCKET)
    return s3


def _beside_python(name: str, requirements: str) -> str:
    path = executable(name, Path(sys.executable).parent)
    return os.fspath(path or missing(name, f"install {requirements} into the virtual environment"))
