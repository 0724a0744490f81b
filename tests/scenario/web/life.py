"""The web role's beginning and its end."""
import concurrent.futures
import http.client
import socket

from web.check import expect, wait_for
from web.pid1 import OK


def test_start(box):
    box.start_web()
    wait_for(lambda: box.pid1.follower, "the question for events")
    expect(box.pid1.seen[0], ("events", "-f"), "first request")


def test_protocol(box):
    expect(box.pid1.wrong, [], "what PID 1 was sent")


def ask_and_end(box, pool):
    """A question that PID 1 does not answer yet, when the role is told to end."""
    box.pid1.silent.add("status")
    box.pid1.held = None
    answer = pool.submit(box.ask, "/api/v1/status")
    wait_for(lambda: box.pid1.held, "the question for the status")
    box.web.terminate()
    wait_for(lambda: box.log.read_text().endswith("web: ends\n"), "the word that it ends")
    return answer


def test_leave(box):
    """Told to end it still answers who has asked, but does not wait for ever to be able to."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = ask_and_end(box, pool)
        box.pid1.reply(box.pid1.held, OK, b'{"late":true}')
        status, _, data = answer.result(5)
        expect((status, data), (200, b'{"late":true}'), "the answer")
        expect(box.web.wait(3), 0, "exit code")
        box.start_web()
        answer = ask_and_end(box, pool)
        expect(box.web.wait(5), 0, "exit code when PID 1 does not answer")
        expect(type(answer.exception(5)), http.client.RemoteDisconnected, "what the client gets")
    box.start_web()


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
