"""Strangers: garbage, slowness, many at once; and what it all costs."""
import contextlib
import http.client
import json
import pathlib
import re
import socket
import struct
import threading
import time

from web.box import fds, status_of
from web.browser import read_all
from web.check import expect, wait_for
from web.said import STATUS


def test_garbage(box):
    seed = 1
    for kind in ("no TLS", "plain HTTP", "TLS"):
        for n in (1, 10, 300, 20000):
            data = b""
            while len(data) < n:
                seed = (seed * 6364136223846793005 + 1442695040888963407) % (1 << 64)
                data += struct.pack("=Q", seed)
            if kind == "plain HTTP":
                data = b"GET / HTTP/1.1\r\n\r\n" * (n // 20 + 1)
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 443), 2) as raw:
                s = box.context().wrap_socket(raw, server_hostname="localhost") if kind == "TLS" else raw
                s.sendall(data[:n])
                s.settimeout(0.05)
                read_all(s)
    for request in (b"\r\n\r\n", b"GET\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b"FOO / HTTP/1.1\r\n\r\n",
                    b"GET nothing HTTP/1.1\r\n\r\n",
                    b"CONNECT x:1 HTTP/1.1\r\n\r\n", b"GET /%00%ff HTTP/1.1\r\n\r\n", b"GET /% HTTP/1.1\r\n\r\n",
                    b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
                    b"GET / HTTP/1.1\r\nUpgrade: nonsense\r\nConnection: Upgrade\r\n\r\n",
                    b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                    b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n",
                    b"GET / HTTP/1.1\r\nCookie: " + b"a" * 5000 + b"\r\n\r\n"):
        with box.connect() as s, contextlib.suppress(OSError):
            s.settimeout(0.1)
            s.sendall(request)
            answer = read_all(s)
            if answer and not re.match(rb"HTTP/1\.[01] (200|4\d\d) ", answer):
                raise AssertionError(f"{request[:40]!r}: {answer[:60]!r}")
    expect(box.web.poll(), None, "exit code")
    expect(box.ask("/healthz")[0], 200, "/healthz after it")


def test_memory(box):
    """Eight connections in use, as a household has them."""
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            s = stack.enter_context(box.connect())
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            s.recv(100)
        text = pathlib.Path(f"/proc/{box.web.pid}/smaps_rollup").read_text()
    kib = int(re.search(r"^Pss: +(\d+) kB", text, re.M).group(1))
    if kib > 4096:
        raise AssertionError(f"{kib} KiB")
    return f"{kib} KiB PSS with 8 connections"


def slow(box, handshake):
    """Seconds until a client that sends a byte now and then is closed; TimeoutError when it is not."""
    start = time.time()
    with socket.create_connection(("127.0.0.1", 443), 2) as raw:
        s = box.context().wrap_socket(raw, server_hostname="localhost") if handshake else raw
        text = b"GET /healthz HTTP/1.1\r\nX-Slow: " if handshake else b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
        for i in range(100):
            s.settimeout(0.2)
            try:
                s.sendall(text[i:i + 1] or b"a")
                if s.recv(10) == b"":
                    return time.time() - start
            except TimeoutError:
                pass
            except OSError:
                return time.time() - start
    raise TimeoutError


class SlowClients:
    """Run beside the other tests, as they take ten seconds."""

    def __init__(self, box):
        self.result = {}
        self.threads = [threading.Thread(target=self.run, args=(box, h), daemon=True) for h in (True, False)]
        for t in self.threads:
            t.start()

    def run(self, box, handshake):
        try:
            self.result[handshake] = slow(box, handshake)
        except Exception as e:
            self.result[handshake] = repr(e)

    def check(self, box):
        for t in self.threads:
            t.join(12)
        for handshake in (True, False):
            took = self.result.get(handshake, "still open")
            if not isinstance(took, float) or not 9.5 < took < 12:
                raise AssertionError(f"slow {'headers' if handshake else 'handshake'}: {took}")


def test_silent_connections(box):
    """Forty connections that ask for nothing: whoever comes next is served, at the cost of the oldest."""
    with contextlib.ExitStack() as stack:
        raw = [stack.enter_context(socket.create_connection(("127.0.0.1", 443), 2)) for _ in range(40)]
        start = time.time()
        expect(box.ask("/healthz")[0], 200, "/healthz")
        if time.time() - start > 1:
            raise AssertionError(f"/healthz took {time.time() - start:.1f} s")
        raw[0].settimeout(1)
        expect(raw[0].recv(1), b"", "the oldest")
        wait_for(lambda: fds(box) <= 32 + 10, "no more descriptors than connections and its own")


def test_half_requests(box):
    """Forty logins of which the password never comes: whoever comes next is served."""
    head = (b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{")
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(box.connect()).sendall(head)
        start = time.time()
        expect(box.ask("/healthz")[0], 200, "/healthz")
        if time.time() - start > 1:
            raise AssertionError(f"/healthz took {time.time() - start:.1f} s")


def test_who_takes_nothing(box):
    """Connections that ask for the page and read none of it hold up others for some seconds."""
    def served():
        try:
            return box.ask("/healthz", timeout=1)[0] == 200
        except (OSError, http.client.HTTPException):
            return False
    with contextlib.ExitStack() as stack:
        for _ in range(32):
            raw = stack.enter_context(socket.socket())
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 300)  # so that the kernel does not take all of it
            raw.settimeout(5)
            raw.connect(("127.0.0.1", 443))
            s = stack.enter_context(box.context().wrap_socket(raw, server_hostname="localhost"))
            s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        start = time.time()
        wait_for(served, "/healthz", 12)
    return f"served after {time.time() - start:.1f} s"


def test_forty_at_work(box):
    """Forty browsers at once, each with a handshake and five requests: all that are let in are answered right."""
    good, bad = [], []

    def browse():
        try:
            c = http.client.HTTPSConnection("localhost", 443, context=box.context(), timeout=5)
            for _ in range(5):
                c.request("GET", "/api/v1/status")
                good.append(json.loads(c.getresponse().read()) == STATUS)
            c.close()
        except (OSError, http.client.HTTPException) as e:
            bad.append(repr(e)) # more than there is room for: closed, never answered wrongly
    threads = [threading.Thread(target=browse, daemon=True) for _ in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(10)
    expect(all(good), True, "answers")
    if len(good) < 5 * 30:
        raise AssertionError(f"only {len(good)} answers, {bad[:2]}")
    return f"{len(good)} answers, {len(bad)} clients turned away"


def test_idle(box):
    """Nobody is there: it sleeps."""
    before = int(status_of(box.web.pid)["voluntary_ctxt_switches"])
    time.sleep(1)
    woken = int(status_of(box.web.pid)["voluntary_ctxt_switches"]) - before
    if woken > 3:
        raise AssertionError(f"woken {woken} times in a second")
