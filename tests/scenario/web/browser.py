"""Clients: a browser with its cookie, an upload piece by piece, bytes as they come."""
import contextlib
import json
import re
import struct

from web.check import expect, wait_for

PASSWORD = "correct horse bättery"


def read_all(s, limit=65536):
    data = b""
    with contextlib.suppress(OSError):
        while len(data) < limit and (d := s.recv(4096)):
            data += d
    return data


class Browser:
    """A cookie, the CSRF text, and where it comes from."""

    def __init__(self, box):
        self.box, self.cookie, self.csrf = box, None, None

    def send(self, method, path, body=None, headers=None, own=True):
        h = {"Content-Type": "application/json"}
        if own:
            h |= {"Origin": "https://localhost", "Sec-Fetch-Site": "same-origin"}
        if self.cookie:
            h["Cookie"] = "x=1; __Host-hearth=" + self.cookie
        if self.csrf:
            h["X-Hearth-CSRF"] = self.csrf
        h |= headers or {}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        status, got, data = self.box.ask(path, method, body, {k: v for k, v in h.items() if v is not None})
        answer = json.loads(data) if data else {}
        if m := re.match(r"__Host-hearth=([0-9a-f]*);", got.get("set-cookie", "")):
            self.cookie = m[1] or None
        self.csrf = answer.get("csrf", self.csrf)
        self.headers = got
        return status, answer

    def log_in(self, password=PASSWORD):
        return self.send("POST", "/api/v1/session", {"password": password})[0]


class Upload:
    """A PUT, piece by piece."""

    def __init__(self, browser, size):
        self.s = browser.box.connect(timeout=5)
        head = (f"PUT /api/v1/update/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n"
                f"Cookie: __Host-hearth={browser.cookie}\r\nX-Hearth-CSRF: {browser.csrf}\r\n\r\n")
        self.s.sendall(head.encode())

    def answer(self):
        data = read_all(self.s)
        self.s.close()
        return int(data.split(b" ", 2)[1]) if data else None

    def send(self, data):
        self.s.sendall(data)


def begin_upload(box, browser, size):
    before = len(box.owner.uploads)
    u = Upload(browser, size)
    wait_for(lambda: len(box.owner.uploads) > before, "the upload's descriptor")
    said, fd = box.owner.uploads[-1]
    expect(said, size, "the size that was said")
    return u, fd


def pattern(n):
    return b"".join(struct.pack("=Q", i * 0x9e3779b97f4a7c15 & (1 << 64) - 1) for i in range(n // 8))
