"""What the console serves to everybody: paths, headers, errors, connections that go on."""
import fcntl
import http.client
import json
import subprocess
import sys
import termios
import time

from web.box import TOP, cpu
from web.browser import read_all
from web.check import expect, settled
from web.said import APPS, BOOTS, FACTS, PODS, SERVICES, SLOTS, SNAPSHOTS, STATUS, UPDATE


def test_routes(box):
    for path, body in (("/api/v1/status", STATUS), ("/api/v1/facts", FACTS), ("/api/v1/services", SERVICES),
                       ("/api/v1/apps", APPS), ("/api/v1/pods", PODS), ("/api/v1/update", UPDATE),
                       ("/api/v1/slots", SLOTS), ("/api/v1/boots", BOOTS), ("/api/v1/snapshots", SNAPSHOTS)):
        status, headers, data = box.ask(path)
        expect((status, headers["content-type"], json.loads(data)), (200, "application/json", body), path)
    expect(json.loads(box.ask("/api/v1/events")[2])["events"][0]["seq"], 1, "events")
    expect(json.loads(box.ask("/api/v1/events?from=7")[2])["events"][0]["seq"], 7, "events from 7")
    status, headers, data = box.ask("/healthz")
    expect((status, data, headers["content-type"]), (200, b"ok\n", "text/plain; charset=utf-8"), "/healthz")
    status, headers, data = box.ask("/")
    expect((status, headers["content-type"]), (200, "text/html; charset=utf-8"), "/")
    made = subprocess.run([sys.executable, TOP / "init/console/assets/embed.py", "--page", TOP / "init/console/assets"],
                          stdout=subprocess.PIPE, check=True)
    expect(data, made.stdout, "the page")
    status, headers, data = box.ask("/favicon.ico")
    expect((status, headers["content-type"], data[:4]), (200, "image/svg+xml", b"<svg"), "/favicon.ico")


def test_head(box):
    for path in ("/", "/favicon.ico", "/healthz", "/api/v1/status", "/api/v1/events", "/nothing", "/api/v1/nothing"):
        get, head = box.ask(path), box.ask(path, "HEAD")
        expect(head, (get[0], get[1], b""), f"HEAD {path}")
    with box.connect() as s: # the body must not follow on the wire either
        s.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        expect(read_all(s).split(b"\r\n\r\n", 1)[1], b"", "bytes after the head")


def test_headers(box):
    for path in ("/", "/healthz", "/api/v1/status", "/nothing"):
        h = box.ask(path)[1]
        for key, want in (("cache-control", "no-store"), ("x-content-type-options", "nosniff"),
                          ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")):
            expect(h.get(key), want, f"{path} {key}")
        csp = h["content-security-policy"]
        for part in ("default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "frame-ancestors 'none'",
                     "connect-src 'self'"):
            if part not in csp:
                raise AssertionError(f"{path}: no {part} in {csp}")
        expect(("unsafe" in csp, "strict-transport-security" in h, "server" in h), (False, False, False), path)


def test_errors(box):
    for method, path, status, body in (
            ("GET", "/nothing", 404, b"no such page\n"), ("GET", "/api/v1/nothing", 404, b'{"error":"no such page"}\n'),
            ("GET", "/../etc/passwd", 404, None), ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404, None),
            ("GET", "/api/v1/status?x=1", 400, None), ("GET", "/api/v1/events?from=x", 400, None),
            ("GET", "/api/v1/events?from=1&from=2", 400, None), ("GET", "/api/v1/events?from=" + "1" * 90, 400, None),
            ("DELETE", "/api/v1/status", 405, None), ("PUT", "/", 405, b"not a method that is answered here\n"),
            ("OPTIONS", "/", 405, None)):
        got = box.ask(path, method)
        expect(got[0], status, f"{method} {path}")
        if body is not None:
            expect(got[2], body, f"{method} {path}")
        kind = "application/json" if path.startswith("/api") else "text/plain"
        expect(got[1]["content-type"].split(";")[0], kind, path)
        if status == 405:
            expect(got[1]["allow"], "GET, HEAD", "Allow")
    expect(box.ask("/api/v1/status", "POST", b"x" * 3000)[0], 405, "POST with a body")
    expect(box.ask("/", "GET", b"hello")[0], 413, "GET with a body")
    box.pid1.refused["events"] = "events: 99 is not kept any more"
    expect(box.ask("/api/v1/events?from=99")[::2], (400, b'{"error":"events: 99 is not kept any more"}\n'), "refusal")
    box.pid1.refused.clear()


def test_keep_alive(box):
    c = http.client.HTTPSConnection("localhost", 443, context=box.context(), timeout=4)
    for i in range(20):
        c.request("GET", "/api/v1/status" if i % 2 else "/")
        r = c.getresponse()
        r.read()
        expect((r.status, r.headers["connection"]), (200, "keep-alive"), f"request {i}")
        if i == 0:
            port = c.sock.getsockname()
        expect(c.sock.getsockname(), port, "connection")
    c.request("GET", "/", headers={"Connection": "close"})
    expect(c.getresponse().headers["connection"], "close", "close")
    c.close()
    with box.connect() as s: # 1.0 is closed after the answer
        s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        expect(read_all(s).endswith(b"\r\n\r\nok\n"), True, "HTTP/1.0")


def test_pipelined(box):
    """Two requests at once: the first is answered or the connection ends; nothing spins, the next client is served."""
    before = cpu(box)
    with box.connect() as s:
        s.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        s.settimeout(0.5)
        read_all(s)
    expect(box.ask("/healthz")[0], 200, "the next client")
    if cpu(box) - before > 0.2:
        raise AssertionError("it spins")


def unread(s):
    """Bytes that the kernel has for us."""
    number = bytearray(4)
    fcntl.ioctl(s.fileno(), termios.FIONREAD, number)
    return int.from_bytes(number, sys.byteorder)


def test_large(box):
    """An answer of nearly 32 KiB to a client that reads slowly at first."""
    box.pid1.big = {"services": [{"name": "x" * 1000} for _ in range(31)]}
    with box.connect() as s:
        s.sendall(b"GET /api/v1/services HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        settled(lambda: unread(s), "what comes without being read", 0.2)
        data = read_all(s)
    box.pid1.big, want = None, box.pid1.big
    expect(json.loads(data.split(b"\r\n\r\n", 1)[1]), want, "a large answer")


def test_silent_pid1(box):
    box.pid1.silent = {"status"}
    start = time.time()
    expect(box.ask("/healthz")[::2], (503, b"PID 1 does not answer\n"), "/healthz")
    took = time.time() - start
    if not 1.8 < took < 3:
        raise AssertionError(f"/healthz took {took:.1f} s")
    expect(box.ask("/api/v1/services")[0], 200, "another question meanwhile")
    box.pid1.silent = {"facts"}
    expect(box.ask("/healthz")[0], 200, "/healthz again")
