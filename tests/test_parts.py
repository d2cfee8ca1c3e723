"""Every part starts, answers, and is gone afterwards; so are parts around a command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import psycopg
import pytest
from botocore.exceptions import ClientError
from redis import Redis

from tests import parts
from tests.parts.missing import PartRequired, missing
from tests.parts.processes import ServerDied, private_folder, server

pytestmark = pytest.mark.parts


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_postgres_answers_and_is_gone_afterwards() -> None:
    with parts.postgres() as url, psycopg.connect(url) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
        assert row is not None
        data = Path(row[0])
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        assert alive(pid)
        assert connection.info.dbname == "larder"
    assert not alive(pid)
    assert not data.parent.exists()


def test_a_durable_postgres_flushes_to_disk() -> None:
    with parts.postgres(durable=True) as url, psycopg.connect(url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_pgmq_turns_postgres_into_a_broker_once() -> None:
    with parts.postgres() as database, parts.pgmq(database), parts.pgmq(database) as url:
        assert urlsplit(url).scheme == "pgmq"
        with psycopg.connect(database) as connection:
            connection.execute("SELECT pgmq.create('bell')")
            connection.execute("""SELECT pgmq.send('bell', '{"ring": 1}')""")
            row = connection.execute("SELECT message FROM pgmq.read('bell', 30, 1)").fetchone()
            assert row == ({"ring": 1},)


def test_redis_answers_and_is_gone_afterwards() -> None:
    with parts.redis() as url:
        client = Redis.from_url(url)
        pid = int(client.info("server")["process_id"])
        folder = Path(str(client.config_get("dir")["dir"]))
        assert client.ping()
        client.close()
    assert not alive(pid)
    assert not folder.exists()


def test_a_folder_is_empty_and_removed_afterwards() -> None:
    with parts.folder() as url:
        path = Path(urlsplit(url).path)
        assert list(path.iterdir()) == []
    assert not path.exists()


@pytest.mark.parametrize("part", [parts.moto, parts.rclone])
def test_s3_stores_and_is_gone_afterwards(
    part: Callable[[], AbstractContextManager[parts.S3]],
) -> None:
    with part() as s3:
        client = boto3.client(
            "s3",
            endpoint_url=s3.endpoint,
            region_name="us-east-1",
            aws_access_key_id=s3.access_key,
            aws_secret_access_key=s3.secret_key,
        )
        client.put_object(Bucket="larder", Key="blobs/one", Body=b"bytes")
        assert client.get_object(Bucket="larder", Key="blobs/one")["Body"].read() == b"bytes"
        assert s3.url().startswith("s3://larder/blobs?endpoint=http://127.0.0.1:")
        client.close()
    assert not alive(s3.pid)


def test_rclone_refuses_a_bad_signature() -> None:
    with parts.rclone() as s3:
        client = boto3.client(
            "s3",
            endpoint_url=s3.endpoint,
            region_name="us-east-1",
            aws_access_key_id=s3.access_key,
            aws_secret_access_key="not the secret",
        )
        with pytest.raises(ClientError, match=r"403|SignatureDoesNotMatch"):
            client.list_buckets()
        client.close()


def test_a_server_that_does_not_start_says_why() -> None:
    with private_folder("broken") as folder:
        broken = [sys.executable, "-c", "raise SystemExit('no room')"]
        with pytest.raises(ServerDied, match="no room"), server(folder, lambda _port: broken):
            pass
    assert not folder.exists()


def test_a_failure_inside_the_block_stops_the_server_too() -> None:
    pids = []

    def fail() -> None:
        with parts.rclone() as s3:
            pids.append(s3.pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not alive(pids[0])


def test_a_missing_part_is_a_skip_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("REQUIRE_PARTS", raising=False)
    with pytest.raises(parts.PartMissing, match="install it with `apt"):
        missing("Something", "install it with `apt install something`")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_part_is_a_failure_where_all_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUIRE_PARTS", "all")
    with pytest.raises(PartRequired):
        missing("Something", "install it with `apt install something`")


def test_a_command_finds_its_parts_and_its_exit_code_is_passed_on() -> None:
    script = "echo $LARDER_BROKER_URL $LARDER_TEST_PARTS; exit 7"
    process = around("folder", script)
    url, urls = process.communicate()[0].split(maxsplit=1)
    assert process.returncode == 7
    assert json.loads(urls) == {"folder": url}
    assert not Path(urlsplit(url).path).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_command_and_the_parts_are_stopped(number: signal.Signals) -> None:
    process = around("redis", "trap 'exit 5' TERM INT; echo $LARDER_BROKER_URL; sleep 60 & wait")
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    pid = int(Redis.from_url(url).info("server")["process_id"])
    process.send_signal(number)
    assert process.wait(30) == 5
    assert not alive(pid)
    process.stdout.close()


def around(part: str, script: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.parts", part, "--", "bash", "-c", script]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
