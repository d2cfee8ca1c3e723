"""How gunicorn serves Larder: `gunicorn --config python:portal.gunicorn portal.wsgi`."""

from __future__ import annotations

import os
import sys

from portal.config import ConfigError, read

try:
    _config = read(os.environ)
except ConfigError as error:
    sys.exit(f"Larder cannot start.\n{error}")

bind = _config.bind
workers = _config.web_processes
worker_class = "gthread"
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
accesslog = "-"
# No user name, no referrer, no query: a log line holds no credential.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms "%(a)s"'
preload_app = False
