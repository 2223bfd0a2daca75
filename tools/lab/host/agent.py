#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs commands in the emulated host, each for one connection.

The agent greets with a line. A request is a line of JSON, ``{"argv": [...],
"input": N}``, and N bytes for the command's standard input. The answer is a
series of frames, each a line ``KIND LENGTH`` and as many bytes: ``out``,
``err``, and in the end ``exit`` with the exit code. A command whose
connection ends before it does is killed.

It needs nothing but Python: it runs where rtvirt does not.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socketserver
import subprocess
import threading
from pathlib import Path

PORT = 2222
GREETING = b'rtvirt-lab\n'
READY = '/run/agent.ready'


class Command(socketserver.StreamRequestHandler):
    """One command."""

    def handle(self) -> None:
        """Greet, read the request, run it."""
        self.wfile.write(GREETING)
        line = self.rfile.readline()
        if not line:
            return
        request = json.loads(line)
        data = self.rfile.read(request['input'])
        try:
            process = subprocess.Popen(
                request['argv'],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd='/root',
                start_new_session=True,
            )
        except OSError as error:
            self._send('err', f'{error}\n'.encode())
            self._send('exit', b'127')
            return
        with contextlib.suppress(ConnectionError), process:
            try:
                self._serve(process, data)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            self._send('exit', b'%d' % process.returncode)

    def _serve(self, process: subprocess.Popen[bytes], data: bytes) -> None:
        """Pass on what the command writes, until it ends."""
        threading.Thread(
            target=_feed, args=(process, data), daemon=True
        ).start()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout or 1, selectors.EVENT_READ, 'out')
            selector.register(process.stderr or 2, selectors.EVENT_READ, 'err')
            selector.register(self.connection, selectors.EVENT_READ, '')
            while len(selector.get_map()) > 1:
                for key, _ in selector.select():
                    chunk = os.read(key.fd, 65536)
                    if not key.data:
                        raise ConnectionResetError
                    if chunk:
                        self._send(key.data, chunk)
                    else:
                        selector.unregister(key.fileobj)
        process.wait()

    def _send(self, kind: str, data: bytes) -> None:
        self.wfile.write(b'%s %d\n' % (kind.encode(), len(data)) + data)


class Server(socketserver.ThreadingTCPServer):
    """Takes every connection: only the lab's own port leads here."""

    allow_reuse_address = True
    daemon_threads = True


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.write(data)
            process.stdin.close()


if __name__ == '__main__':
    with Server(('', PORT), Command) as server:
        Path(READY).touch()
        server.serve_forever()
