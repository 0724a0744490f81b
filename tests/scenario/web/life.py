"""The web role's beginning and its end."""
import socket

from web.check import expect, wait_for


def test_start(box):
    box.start_web()
    wait_for(lambda: box.pid1.follower, "the question for events")
    expect(box.pid1.seen[0], ("events", "-f"), "first request")


def test_protocol(box):
    expect(box.pid1.wrong, [], "what PID 1 was sent")


def test_end(box):
    expect(box.web.poll(), None, "exit code before")
    box.pid1.sock.shutdown(socket.SHUT_RDWR)
    expect(box.web.wait(3), 1, "exit code when PID 1 is gone")
    last = box.log.read_text().splitlines()[-1]
    if "channel to PID 1" not in last:
        raise AssertionError(f"log line: {last!r}")


def test_busy_port(box):
    with socket.create_server(("::", 443), family=socket.AF_INET6):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        expect(box.role("web", (theirs.fileno(),)).wait(5), 1, "exit code")
    if "bind to port 443" not in box.log.read_text().splitlines()[-1]:
        raise AssertionError("the log does not say it")
