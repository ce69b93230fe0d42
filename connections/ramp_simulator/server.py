"""Serves the WSGI application on a port: HTTP/1.1 with keep-alive, a thread per connection."""

import io
import socketserver
import sys
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit
from wsgiref.types import WSGIApplication, WSGIEnvironment

from connections.ramp_simulator.service import HungUp

_LARGEST_BODY = 32 * 1024 * 1024
_IDLE_SECONDS = 75


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens as soon as it is made; port 0 takes a free one, see `address`."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host: str, port: int, application: WSGIApplication) -> None:
        self.application = application
        super().__init__((host, port), _Handler)

    @property
    def address(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for head and body
    timeout = _IDLE_SECONDS
    server: Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if "Transfer-Encoding" in self.headers or length > _LARGEST_BODY:
            self.close_connection = True
            self.send_error(411 if "Transfer-Encoding" in self.headers else 413)
            return
        environ = self._environ(self.rfile.read(length))
        try:
            body = self.server.application(environ, self._start_response)
        except HungUp:
            self.close_connection = True
            return
        self._send(body)

    # The names are the base class's.
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None, /
    ) -> Any:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self._is_chunked = all(name != "Content-Length" for name, _ in headers)
        if self._is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        return self.wfile.write

    def _send(self, body: Iterable[bytes]) -> None:
        for part in body:
            if not self._is_chunked:
                self.wfile.write(part)
            elif part:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        if self._is_chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _environ(self, body: bytes) -> WSGIEnvironment:
        address = urlsplit(self.path)
        host, port = self.server.server_address[:2]
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(address.path, "latin-1"),
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return environ

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet: the simulator keeps its own log of calls."""
