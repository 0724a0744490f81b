"""Uploads: all of it comes, held up by a slow reader, cut at either end, refused."""
import os
import threading
import time

from web.box import cpu, rss
from web.browser import Browser, begin_upload, pattern
from web.check import expect, settled, wait_for


def test_upload(box):
    b, data = Browser(box), pattern(8 << 20)
    expect(b.log_in(), 200, "login")
    got = []

    def read():
        while d := os.read(fd, 1 << 16):
            got.append(d)
    u, fd = begin_upload(box, b, len(data))
    t = threading.Thread(target=read, daemon=True)
    start = time.time()
    t.start()
    u.send(data)
    expect(u.answer(), 200, "status")
    t.join(5)
    took = time.time() - start
    os.close(fd)
    expect(b"".join(got) == data, True, "the bytes that came")
    expect(b.send("PUT", "/api/v1/update/upload", data[:100])[0], 200, "the next one")
    said, fd = box.owner.uploads[-1]
    expect((said, os.read(fd, 1000), os.read(fd, 1)), (100, data[:100], b""), "a small one")
    os.close(fd)
    return f"{len(data) / took / 1e6:.0f} MB/s"


def test_upload_part(box):
    """A part is an upload that says where it begins; nothing but a number goes on."""
    b, data = Browser(box), pattern(1 << 20)
    expect(b.log_in(), 200, "login")
    n = len(box.owner.uploads)
    for query, status in (("?from=", 400), ("?from=-1", 400), ("?from=1&from=2", 400), ("?to=1", 400)):
        expect(b.send("PUT", "/api/v1/update/upload" + query, data[:100])[0], status, query)
    expect(b.send("PUT", "/api/v1/update/upload?from=7", data[:100], {"X-Hearth-CSRF": "0" * 64})[0], 403, "no CSRF")
    expect(len(box.owner.uploads), n, "uploads")
    expect(b.send("PUT", "/api/v1/update/upload?from=5000000000", data[:100])[0], 200, "a part")
    expect(box.owner.commands[-1], ["update", "upload", "100", "5000000000"], "the words")
    _, fd = box.owner.uploads[-1]
    expect((os.read(fd, 1000), os.read(fd, 1)), (data[:100], b""), "its bytes")
    os.close(fd)


def test_upload_slow_reader(box):
    """Nobody reads for a while: the sender is held up, no memory grows, others are served; then all of it comes."""
    b, data = Browser(box), pattern(16 << 20)
    expect(b.log_in(), 200, "login")
    u, fd = begin_upload(box, b, len(data))
    sent, memory = [0], rss(box)

    def send():
        for at in range(0, len(data), 1 << 16):
            u.send(data[at:at + (1 << 16)])
            sent[0] = at
    t = threading.Thread(target=send, daemon=True)
    t.start()
    stuck, before = settled(lambda: sent[0], "what is taken while nobody reads"), cpu(box)
    time.sleep(1)  # what it does in a second
    expect(sent[0], stuck, "bytes sent while nobody reads")
    if stuck > 12 << 20:
        raise AssertionError(f"{stuck >> 20} MiB went while nobody reads")
    if cpu(box) - before > 0.1:
        raise AssertionError("it spins while it waits")
    if rss(box) - memory > 512:
        raise AssertionError(f"{rss(box) - memory} KiB more memory")
    expect(box.ask("/healthz")[0], 200, "others")
    start, got = time.time(), bytearray()
    while d := os.read(fd, 1 << 20):
        got += d
    took = time.time() - start
    os.close(fd)
    expect(got == data, True, "the bytes that came")
    expect(u.answer(), 200, "status")
    return f"{stuck >> 10} KiB in sockets and pipe, then {(len(data) - stuck) / took / 1e6:.0f} MB/s"


def test_upload_cut(box):
    b, data = Browser(box), pattern(1 << 20)
    expect(b.log_in(), 200, "login")
    u, fd = begin_upload(box, b, len(data))
    u.send(data[:300000])
    u.s.close()
    got = b""
    while d := os.read(fd, 1 << 20):
        got += d
    os.close(fd)
    expect(got == data[:len(got)] and len(got) < len(data), True, "what came before the end")
    u, fd = begin_upload(box, b, len(data)) # the reader leaves
    u.send(data[:1000])
    expect(os.read(fd, 1), data[:1], "a byte")
    os.close(fd)
    u.send(data[1000:])
    expect(u.answer(), 409, "status when the reader is gone")
    wait_for(lambda: b.send("PUT", "/api/v1/update/upload", b"x" * 10)[0] == 200, "the next one")
    os.close(box.owner.uploads[-1][1])


def test_upload_refused(box):
    b, other = Browser(box), Browser(box)
    expect((b.log_in(), other.log_in()), (200, 200), "login")
    n = len(box.owner.uploads)
    for headers, status in (({"Cookie": None}, 401), ({"X-Hearth-CSRF": None}, 403), ({"X-Hearth-CSRF": "0" * 64}, 403),
                            ({"Cookie": "__Host-hearth=" + "1" * 64}, 401), ({"Origin": "https://evil.example"}, 403),
                            ({"Content-Length": str(1 << 40)}, 413)):
        expect(b.send("PUT", "/api/v1/update/upload", b"x" * 100, headers)[0], status, f"with {headers}")
    expect(len(box.owner.uploads), n, "uploads")
    u, fd = begin_upload(box, b, 1000)
    expect(other.send("PUT", "/api/v1/update/upload", b"x" * 100)[0], 409, "a second one meanwhile")
    u.send(b"y" * 1000)
    expect((u.answer(), os.read(fd, 2000)), (200, b"y" * 1000), "the first")
    os.close(fd)
    box.owner.refuse = "update: an update is under way"
    expect(b.send("PUT", "/api/v1/update/upload", b"x" * 100), (400, {"error": "update: an update is under way"}),
           "refused by the update role")
    box.owner.refuse = None
