"""The cages from inside: what a role does that somebody has taken over (web.inject), and what becomes of the others."""
import os
import pathlib
import re
import socket
import threading

from web.box import AUTH_UID, WEB_GID, WEB_UID, status_of
from web.browser import Browser
from web.check import expect, wait_for
from web.inject import KILLED, inject
from web.pid1 import ERROR

FCNTL, SHUTDOWN, SETSOCKOPT, GETSOCKOPT, OPENAT, SOCKET = 72, 48, 54, 55, 257, 41
CHANNEL, SO_LINGER, F_SETOWN, SO_PEERPIDFD = 3, 13, 8, 77


def test_caged(box):
    s = status_of(box.web.pid)
    for key, want in (("Seccomp", "2"), ("NoNewPrivs", "1"), ("CapEff", "0" * 16), ("CapPrm", "0" * 16),
                      ("Uid", "\t".join([str(WEB_UID)] * 4)), ("Gid", "\t".join([str(WEB_GID)] * 4))):
        expect(s[key].strip(), want, key)
    expect(s["Groups"].strip(), "", "groups")
    root = os.readlink(f"/proc/{box.web.pid}/root")
    if not root.endswith("/run/hearth/web-root"):
        raise AssertionError(f"root folder {root}")
    web_root = box.root / "run/hearth/web-root"
    expect((list(web_root.iterdir()), oct(web_root.stat().st_mode)), ([], "0o40555"), "its root")
    limits = pathlib.Path(f"/proc/{box.web.pid}/limits").read_text()
    if not re.search(r"Max processes +0 +0", limits) or not re.search(r"Max open files +64 +64", limits):
        raise AssertionError("limits are not set")
    files = {os.readlink(f"/proc/{box.web.pid}/fd/{n}") for n in os.listdir(f"/proc/{box.web.pid}/fd")}
    bad = [f for f in files if f.startswith("/") and not f.endswith(("/log", "/dev/null", "/dev/urandom"))]
    expect(bad, [], "open files")


def auth_of(box):
    """The auth role while it waits for a password, or None."""
    with open(f"/proc/{box.owner_role.pid}/task/{box.owner_role.pid}/children") as f:
        for pid in map(int, f.read().split()):
            s = status_of(pid)
            if s["Uid"].split()[0] == str(AUTH_UID) and s["Seccomp"].strip() == "2" and s["State"].startswith("S"):
                return pid
    return None


def test_auth_caged(box):
    """It is ended by what it may not do; that is said to whoever logs in, and the next one is let in."""
    b = Browser(box)
    expect(b.log_in(), 200, "before")
    for what, call in (("open", (OPENAT, 0, 0, 0)), ("socket", (SOCKET, 1, 1, 0)),
                       ("an option of its channel", (SETSOCKOPT, CHANNEL, 1, SO_LINGER))):
        r, w = os.pipe()  # no password yet: it waits
        answer, there = [], threading.Event()
        box.owner.ask(b"session\0new\x00127.0.0.1\0", [r], lambda *a: (answer.extend(a), there.set()))
        os.close(r)
        inject(wait_for(lambda: auth_of(box), "the auth role"), *call)
        expect(there.wait(5), True, f"an answer after {what}")
        expect(answer, [ERROR, b"500 the password could not be checked"], f"answer after {what}")
        os.close(w)
    wait_for(lambda: box.log.read_text().count("auth: ended by signal 31") == 3, "lines of the log")
    expect((box.owner_role.poll(), b.log_in()), (None, 200), "the next login")


def test_web_caged(box):
    """On the channel to PID 1 it can send and receive, and nothing else."""
    for what, call in (("SO_LINGER", (SETSOCKOPT, CHANNEL, socket.SOL_SOCKET, SO_LINGER)),
                       ("SO_SNDBUF", (SETSOCKOPT, CHANNEL, socket.SOL_SOCKET, socket.SO_SNDBUF)),
                       ("SO_PEERPIDFD", (GETSOCKOPT, CHANNEL, socket.SOL_SOCKET, SO_PEERPIDFD)),
                       ("shutdown", (SHUTDOWN, CHANNEL, socket.SHUT_RDWR)),
                       ("F_SETOWN", (FCNTL, CHANNEL, F_SETOWN, 1)), ("open", (OPENAT, 0, 0, 0))):
        box.start_web()
        wait_for(lambda: box.pid1.follower, "the question for events")
        wait_for(lambda: status_of(box.web.pid)["State"].startswith("S"), "it to wait")
        inject(box.web.pid, *call)
        expect(box.web.wait(5), KILLED, f"end after {what}")
