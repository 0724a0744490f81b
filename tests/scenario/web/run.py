#!/usr/bin/env python3
"""The HTTPS console as processes: `hearth web` and `hearth owner` in namespaces and a root of their own, with a
stand-in for PID 1 that answers and relays strictly by core/proto.h. Everything is asked from outside, over TLS. Needs
root; takes half a minute.

  box.py, pid1.py, said.py     the box, the other ends of the channels, what they answer
  browser.py, inject.py        those who ask; code that somebody has brought into a role
  check.py                     what is expected
  the others                   the tests, test_NAME(box) each; they run in the order below, on one box

Prints what failed; writes build/results/web.tsv (verdict, name, seconds, detail). HEARTH=PATH tests another binary."""
import fcntl
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

from web import cage, certificate, crowd, life, owner, pages, stream, upload  # noqa: E402
from web.box import TOP, Box, at_rest  # noqa: E402

SLOW = "slow"  # what was begun behind `start` and runs beside the others
TESTS = [
    certificate.test_cert_made, certificate.test_cert_repaired, certificate.test_no_key, life.test_start,
    cage.test_caged, certificate.test_certificate, certificate.test_tls_versions, pages.test_routes, pages.test_head,
    pages.test_headers, pages.test_errors, pages.test_keep_alive, pages.test_pipelined, pages.test_large,
    stream.test_stream, stream.test_stream_limit, pages.test_silent_pid1, crowd.test_garbage, crowd.test_memory, SLOW,
    crowd.test_silent_connections, crowd.test_half_requests, crowd.test_who_takes_nothing, crowd.test_forty_at_work,
    owner.test_without_owner_role, owner.test_first_login, owner.test_login, owner.test_sessions, upload.test_upload,
    upload.test_upload_part, upload.test_upload_slow_reader, upload.test_upload_cut, upload.test_upload_refused,
    owner.test_lock_out, owner.test_expiry, cage.test_auth_caged, owner.test_reset, crowd.test_idle,
    life.test_protocol, life.test_leave, life.test_end, life.test_busy_port, cage.test_web_caged,
]


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def run(box):
    """The rows of the results. Without a role that starts there is nothing more to ask."""
    rows, beside = [], None
    for test in TESTS:
        start = time.time()
        name = SLOW if test is SLOW else test.__name__[5:]
        try:
            detail = (beside.check if test is SLOW else test)(box) or ""
            if beside and box.web.poll() is None:
                at_rest(box, name)
            verdict = "pass"
        except Exception as e:  # a test may fail in any way
            verdict, detail = "fail", f"{type(e).__name__}: {e}".replace("\t", " ").replace("\n", " ")
            print(f"web: {name}: {detail}")
        rows.append((verdict, name, f"{time.time() - start:.2f}", detail))
        if name == "start":
            if verdict == "fail":
                break
            beside = crowd.SlowClients(box)
    return rows


def inside():
    """In namespaces of our own."""
    loopback_up()
    folder = tempfile.mkdtemp()
    box = Box(folder)
    try:
        rows = run(box)
        if any(r[0] == "fail" for r in rows):
            print("last lines of the log:\n" + "\n".join(box.log.read_text().splitlines()[-15:]))
    finally:
        box.stop_web()
        subprocess.run(["umount", "-R", folder], check=False)
        os.rmdir(folder)  # never a recursive removal: something may still be mounted there
    return rows


def main():
    if "--inside" not in sys.argv:
        if os.geteuid():
            sys.exit("web/run.py: needs root, for namespaces")
        (TOP / "build/results").mkdir(parents=True, exist_ok=True)
        os.execvp("unshare", ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc",
                              sys.executable, __file__, "--inside"])
    signal.alarm(180)
    rows = inside()
    with open(TOP / "build/results/web.tsv", "w") as out:
        for row in rows:
            out.write("\t".join(row) + "\n")
    failed = sum(r[0] == "fail" for r in rows)
    print(f"web: {len(rows) - failed} passed, {failed} failed, {sum(float(r[2]) for r in rows):.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
