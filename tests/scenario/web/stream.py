"""Events as they happen, by Server-Sent Events."""
import contextlib
import json

from web.box import fds
from web.check import expect, wait_for
from web.said import event


def test_stream(box):
    with box.connect() as a, box.connect() as b:
        for s in (a, b):
            s.sendall(b"GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            head = ""
            while "retry:" not in head:
                head += s.recv(4096).decode()
            expect("text/event-stream" in head and "Content-Length" not in head, True, "head of the stream")
        for i in (21, 22, 23):
            box.pid1.event(i)
        for s in (a, b):
            text = ""
            while text.count("\n\n") < 3:
                text += s.recv(4096).decode()
            got = [json.loads(e[6:]) for e in text.split("\n\n") if e.startswith("data: ")]
            expect(got, [event(21), event(22), event(23)], "events")
    status, _, data = box.ask("/api/v1/events/stream", "HEAD")
    expect((status, data), (200, b""), "HEAD of the stream")


def test_stream_limit(box):
    before = fds(box)
    with contextlib.ExitStack() as stack:
        for _ in range(16):
            s = stack.enter_context(box.connect())
            s.sendall(b"GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n")
            expect(s.recv(15), b"HTTP/1.1 200 OK", "stream")
        expect(box.ask("/api/v1/events/stream")[0], 503, "one stream too many")
        expect(box.ask("/healthz")[0], 200, "requests beside")
    wait_for(lambda: fds(box) <= before, "the streams' descriptors closed")
