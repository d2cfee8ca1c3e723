"""nginx in front of a Larder, by the configuration that we give out (deploy/nginx.conf)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.clients import ROOT
from tests.parts.missing import missing
from tests.parts.processes import Server, executable, private_folder, server

_AROUND = """
daemon off;
worker_processes auto;
%(user)s
pid %(folder)s/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
%(inside)s
}
"""


@contextmanager
def nginx(
    larder_port: int, edge_port: int, home: Path, tls: tuple[Path, Path] | None = None
) -> Iterator[Server]:
    """Run nginx with our configuration, adapted to this machine, and yield it.

    What it sends itself is in `home`, LARDER_HOME of what it stands before. `tls` is its
    certificate and key; without, it speaks plain http.
    """

    def ours(port: int) -> str:
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        certificate = "ssl_certificate {}; ssl_certificate_key {};".format(*tls) if tls else ""
        text = re.sub(r"ssl_certificate .*\n *ssl_certificate_key .*", certificate, text)
        listening = f"listen 127.0.0.1:{port}{' ssl' if tls else ''};"
        text = text.replace("listen 443 ssl;", listening)
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{larder_port}")
        text = text.replace("127.0.0.1:8001", f"127.0.0.1:{edge_port}")
        return text.replace("/var/lib/larder/", f"{home}/")

    with nginx_with(ours) as running:
        yield running


@contextmanager
def nginx_with(inside: Callable[[int], str]) -> Iterator[Server]:
    """Run nginx with what is inside its `http` block."""
    program = executable("nginx", Path("/usr/sbin"))
    if program is None:
        missing("nginx", "`apt install nginx-light` or `make parts`")
    with private_folder("nginx") as folder:

        def command(port: int) -> list[str]:
            # Its workers must be able to read the folder of the one who runs the tests.
            user = "user root;" if os.geteuid() == 0 else ""
            text = _AROUND % {"folder": folder, "inside": inside(port), "user": user}
            (folder / "nginx.conf").write_text(text)
            return [str(program), "-p", str(folder), "-c", str(folder / "nginx.conf")]

        with server(folder, command) as running:
            yield running
