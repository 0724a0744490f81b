"""A box for the two roles, and looks at a role from outside. Both run as they do on a real one, in a root of their own
that has what they need and nothing else; the namespaces are those of the runner."""
import contextlib
import http.client
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import time

from web.check import expect, wait_for
from web.pid1 import Owner, Pid1

TOP = pathlib.Path(__file__).resolve().parents[3]
HEARTH = os.environ.get("HEARTH", str(TOP / "build/hearth"))
WEB_UID, WEB_GID = 871, 872
AUTH_UID = 873
PASSWD = (f"root:x:0:0:root:/:/bin/false\nweb:x:{WEB_UID}:{WEB_GID}:web:/:/bin/false\n"
          f"auth:x:{AUTH_UID}:{AUTH_UID}:auth:/:/bin/false\n")


class Box:
    """A root folder, and the roles in it. self.pid1 and self.owner are the other ends of their channels."""

    def __init__(self, folder):
        self.root = pathlib.Path(folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "box", folder], check=True)
        for d in ("etc", "state", "run/hearth", "dev", "proc", "usr/bin"):
            (self.root / d).mkdir(parents=True)
        (self.root / "etc/passwd").write_text(PASSWD)
        shutil.copy(HEARTH, self.root / "usr/bin/hearth")
        subprocess.run(["mount", "-t", "proc", "proc", str(self.root / "proc")], check=True)
        for name, minor in (("null", 3), ("urandom", 9)):
            os.mknod(self.root / "dev" / name, 0o666 | 0o020000, os.makedev(1, minor))
        pathlib.Path("/proc/sys/kernel/hostname").write_text("hearth-test\n")
        self.log = self.root / "log"
        self.tls = self.root / "state/tls"
        self.web = self.pid1 = self.owner = self.owner_role = None

    def role(self, name, fds=(), args=(), **kw):
        def enter():
            os.chroot(self.root)
            os.chdir("/")
            signal.alarm(0)
            if fds:
                os.dup2(fds[0], 3)
                os.set_inheritable(3, True)
        with open(self.log, "a") as log:
            return subprocess.Popen(["/usr/bin/hearth", name, *args], preexec_fn=enter, stderr=log,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    pass_fds=tuple({3, *fds} | set(kw.pop("keep", ()))), **kw)

    def run_cert(self):
        return self.role("cert").wait(10)

    def start_web(self):
        """Starts the role; returns once it said READY=1, or raises."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        r, w = os.pipe()
        self.pid1 = Pid1(ours)
        self.web = self.role("web", (theirs.fileno(),), keep=(w,), env={"NOTIFY_FD": str(w)})
        os.close(w)
        theirs.close()
        with open(r) as pipe:
            said = pipe.read()
        if said != "READY=1\n":
            raise AssertionError(f"readiness: {said!r}, {self.log.read_text()[-300:]}")

    def start_owner(self, *args):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        r, w = os.pipe()
        self.owner = self.pid1.owner = Owner(ours)
        self.owner_role = self.role("owner", (theirs.fileno(),), args, keep=(w,), env={"NOTIFY_FD": str(w)})
        os.close(w)
        theirs.close()
        with open(r) as pipe:
            expect(pipe.read(), "READY=1\n", "readiness of the owner role")
        first = (self.root / "state/owner/login").read_text().startswith("code")
        wait_for(lambda: self.owner.code or not first, "the code")

    def stop_owner(self):
        if self.owner_role:
            self.owner_role.terminate()
            expect(self.owner_role.wait(5), 0, "exit code of the owner role")
            self.owner_role = None
            self.pid1.owner = None

    def stop_web(self):
        if self.owner_role:
            self.owner_role.kill()
            self.owner_role.wait()
        if self.web and self.web.poll() is None:
            self.web.kill()
            self.web.wait()
        with contextlib.suppress(OSError):
            self.pid1.sock.shutdown(socket.SHUT_RDWR)

    def context(self):
        return ssl.create_default_context(cafile=str(self.tls / "cert.pem"))

    def connect(self, name="localhost", address="127.0.0.1", timeout=4):
        s = socket.create_connection((address, 443), timeout)
        return self.context().wrap_socket(s, server_hostname=name)

    def ask(self, path, method="GET", body=None, headers=None, timeout=8):
        c = http.client.HTTPSConnection("localhost", 443, context=self.context(), timeout=timeout)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            data = r.read()
            return r.status, {k.lower(): v for k, v in r.getheaders()}, data
        finally:
            c.close()


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def cpu(box):
    f = pathlib.Path(f"/proc/{box.web.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")


def fds(box):
    return len(os.listdir(f"/proc/{box.web.pid}/fd"))


def rss(box):
    return int(status_of(box.web.pid)["VmRSS"].split()[0])


def at_rest(box, name):
    """Nothing is left that keeps it busy; a connection of which it is the last end would."""
    for _ in range(20):
        before = cpu(box)
        time.sleep(0.1)
        if cpu(box) - before < 0.05:
            return
    raise AssertionError(f"it spins after {name}; {fds(box)} descriptors")
