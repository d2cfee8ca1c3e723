"""How gunicorn serves Larder: `gunicorn --config python:portal.gunicorn portal.wsgi`."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import sys
from contextlib import suppress
from datetime import timedelta
from tempfile import TemporaryFile
from urllib.parse import quote

from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.http.wsgi import Response
from gunicorn.workers.base import Worker

from portal.config import ConfigError, read
from portal.gunicorn_worker import AnsweringThreadWorker, shares
from portal.logs import StrikingFormatter

# From glibc's malloc.h.
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE_BUFFER = 512 * 1024
_ARENAS = 4

try:
    _config = read(os.environ)
except ConfigError as error:
    sys.exit(f"Larder cannot start.\n{error}")

bind = _config.bind
workers = _config.web_processes
worker_class = AnsweringThreadWorker
threads = _config.web_threads
# A thread that streams a large file is busy, not stuck: only a dead process is replaced.
timeout = 120
graceful_timeout = 30
keepalive = 30
# Uploads are read to their end even when refused, so nothing is cut.
worker_tmp_dir = None
proc_name = "larder-web"
control_socket_disable = True
# Whose X-Forwarded-Proto is believed; addresses are handled by portal.middleware.
forwarded_allow_ips = ",".join(str(network) for network in _config.trusted_proxies)
forwarder_headers = ""  # nor may a proxy say below which path we are
accesslog = "-"


def on_starting(_server: Arbiter) -> None:
    """Refuse to serve from a machine that would answer with errors: not prepared, or read-only."""
    try:
        _config.spool.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=_config.spool):
            pass
    except OSError as error:
        sys.exit(
            f"Larder cannot start.\n{_config.spool} cannot be written: {error.strerror}. "
            "LARDER_HOME says where it may write."
        )
    if not (_config.static / "staticfiles.json").exists():
        sys.exit(
            f"Larder cannot start.\nThere are no static files in {_config.static}: "
            "run `manage.py prepare` on this machine, with the same settings."
        )


def when_ready(server: Arbiter) -> None:
    """Read Larder in, once for all processes that serve, and say where it is.

    What none of them alters is then in memory once. Callers wait meanwhile: with gunicorn's own
    `preload_app` it would not listen yet, and they would be refused.
    """
    # Our lines tell of none of these; finding them out for each takes longer than writing it.
    logging.logThreads = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - as Python's manual says
    server.app.wsgi()
    # What is there by now is no garbage, and looking through it would write to all of it.
    gc.collect()
    gc.freeze()
    server.log.info("Larder is ready at %s/", _config.base_url)


def post_fork(_server: Arbiter, _worker: Worker) -> None:
    """Give large buffers back to the system as soon as they are free.

    glibc keeps them for each thread that has ever needed one: a few large forms would be held
    thirty times over. Other C libraries have no such function, and no such habit.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BUFFER)
        mallopt(_M_ARENA_MAX, _ARENAS)


def child_exit(_server: Arbiter, worker: Worker) -> None:
    """Let nobody leave connections to a process that has ended, however it did."""
    shares.note(worker.age, None)


def post_worker_init(_worker: Worker) -> None:
    """Begin to write down what requests note, in each process that serves."""
    from portal.serving import keep_notes  # noqa: PLC0415 - it sets Django up

    keep_notes()


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Writes lines without secrets: gunicorn's own loggers do not pass through portal.logs.

    And no access line for static files: twenty of them would hide the one that matters.
    """

    def setup(self, cfg: Config) -> None:
        """Set the handlers up as gunicorn does; each strikes out what looks like a credential."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(StrikingFormatter(handler.formatter or logging.Formatter()))

    def access(
        self, resp: Response, req: Request, environ: dict[str, str], request_time: timedelta
    ) -> None:
        """Write the line of one request. No user, referrer or query: it holds no credential."""
        path = environ.get("PATH_INFO", "")
        if path.startswith("/static/"):
            return
        # On one line, whatever is in it: the path is unquoted by now.
        self.access_log.info(
            '%s "%s %s" %s %s %dms "%s" request=%s',
            environ.get("REMOTE_ADDR", "-"),
            req.method,
            quote(path, encoding="latin-1"),
            (resp.status or "-").partition(" ")[0],
            resp.sent,
            request_time / timedelta(milliseconds=1),
            environ.get("HTTP_USER_AGENT", "-").replace('"', '\\"'),
            next((value for name, value in resp.headers if name == "X-Request-Id"), "-"),
        )


logger_class = QuietLogger
