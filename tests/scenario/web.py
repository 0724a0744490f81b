#!/usr/bin/env python3
"""The HTTPS console as processes: `hearth web` and `hearth owner` in namespaces and a root of their own, with a
stand-in for PID 1 that answers and relays strictly by core/proto.h. Everything is asked from outside, over TLS. Needs
root; takes half a minute.

Prints what failed; writes build/results/web.tsv (verdict, name, seconds, detail). HEARTH=PATH tests another binary."""
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import warnings

TOP = pathlib.Path(__file__).resolve().parents[2]
HEARTH = os.environ.get("HEARTH", str(TOP / "build/hearth"))
WEB_UID, WEB_GID = 871, 872
AUTH_UID = 873
PASSWD = (f"root:x:0:0:root:/:/bin/false\nweb:x:{WEB_UID}:{WEB_GID}:web:/:/bin/false\n"
          f"auth:x:{AUTH_UID}:{AUTH_UID}:auth:/:/bin/false\n")
OK, ERROR, EVENT, ASK = 1, 2, 3, 4
PASSWORD = "correct horse bättery"

STATUS = {
    "name": "hearth-3f2a", "version": "0.1.0", "kernel": "6.12.57", "slot": "system-a", "system": "running",
    "detail": "", "boots": 7, "uptime_ms": 275_460_000, "time": "2026-11-25T17:31:08Z", "time_synced": True,
    "url": "https://192.168.1.23/", "last_shutdown": "reboot asked for on the console", "cpus": 4,
    "interfaces": [
        {"name": "eth0", "mac": "52:54:00:12:34:56", "up": True,
         "addresses": ["192.168.1.23/24", "fd00::5054:ff:fe12:3456/64"]},
        {"name": "eth1", "mac": "52:54:00:12:34:57", "up": False, "addresses": []}],
    "memory": {"total": 8_192_000_000, "available": 5_910_000_000}, "load": "0.42",
    "disks": [{"name": "data", "path": "/data", "total": 498_000_000_000, "free": 411_000_000_000},
              {"name": "state", "path": "/state", "total": 246_000_000, "free": 231_000_000}],
    "services": {"total": 10, "ready": 9, "failed": 0},
    "kubernetes": {"inside": "k3s v1.36.4+k3s1, the official release",
                   "state": "the node is ready; 8 of 8 apps healthy"},
    "stages": [{"name": n, "state": "done", "detail": "", "ms": m} for n, m in
               (("mounts", 12), ("cgroups", 3), ("clock", 1), ("control", 2), ("services", 9), ("state", 410),
                ("settings", 6), ("data", 380), ("network", 1204), ("time", 2210))],
    "waiting": "", "problems": [],
}
SERVICES = {"services": [
    {"name": n, "description": d, "state": s, "detail": t, "since_ms": a, "restarts": r, "pid": p, "memory": m}
    for n, d, s, t, a, r, p, m in (
        ("cert", "key and certificate of the HTTPS console", "done", "", 275_400_000, 0, 0, 0),
        ("console-screen", "screen and line editor on tty1", "ready", "", 275_458_000, 0, 131, 372_736),
        ("console-serial", "screen and line editor on ttyS0", "ready", "", 275_458_000, 0, 130, 368_640),
        ("klog", "the kernel's log", "ready", "", 275_459_000, 0, 121, 192_512),
        ("log", "writes the logs of all services", "ready", "", 275_459_000, 0, 120, 274_432),
        ("network", "interfaces and DHCP", "ready", "", 275_430_000, 0, 140, 512_000),
        ("scrub", "reads the whole root once", "starting", "block 41 208 of 262 144", 61_000, 0, 155, 1_204_224),
        ("storage", "disks and file systems", "done", "", 275_420_000, 0, 0, 0),
        ("time", "clock from the network", "ready", "", 275_410_000, 1, 151, 229_376),
        ("web", "HTTPS console", "ready", "", 275_400_000, 2, 160, 2_104_320))]}
FACTS = {"facts": [{"name": "network-up", "value": "on", "detail": "eth0 192.168.1.23", "age_ms": 275_000_000}]}
APPS = {"apps": [{"name": "transmission", "status": "healthy", "objects": 5, "ready": 5, "message": ""}],
        "revision": "00112233445566778899aabbccddeeff", "state": ""}
PODS = {"pods": [{"namespace": "htpc", "name": "transmission-5d8f6b7c9-abcde", "status": "Running", "ready": "1/1",
                  "restarts": 0, "age": 7300, "ip": "10.42.0.7"}]}


def event(seq):
    kinds = (("system", "hearth", "0.1.0 starts, boot 7"), ("stage", "state", "done after 410 ms"),
             ("fact", "network-up", "on: eth0 192.168.1.23"), ("service", "web", "ready"),
             ("service", "time", "exited with status 1 after 3 s; started again"),
             ("problem", "settings", "/state/settings.yaml:4: unknown key 'hostnam'; did you mean 'hostname'?"))
    kind, name, text = kinds[seq % len(kinds)]
    return {"seq": seq, "time": "2026-11-25T17:31:08Z", "ms": 2000 + 900 * seq,
            "kind": kind, "name": name, "text": text}


class Pid1(threading.Thread):
    """The other end of descriptor 3. Whatever is not a request by core/proto.h is kept in self.wrong."""
    KNOWN = {("status",), ("services",), ("facts",), ("apps",), ("pods",), ("events",), ("events", "-f"), ("update",)}

    def __init__(self, sock):
        super().__init__(daemon=True)
        self.sock, self.wrong, self.seen, self.ids = sock, [], [], set()
        self.silent, self.refused, self.follower, self.big = set(), {}, None, None
        self.owner = None
        self.start()

    def run(self):
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self.sock, 1025, 1)
            except OSError:
                return
            if not data:
                return
            self.request(data, fds)

    def request(self, data, fds):
        if len(data) > 1024 or len(data) < 6 or data[-1] != 0:
            self.wrong.append(f"request of {len(data)} bytes: {data[:40]!r}")
            return
        number, = struct.unpack("=I", data[:4])
        words = tuple(data[4:-1].decode().split("\0"))
        if not number or number in self.ids:
            self.wrong.append(f"id {number} again")
        self.ids.add(number)
        self.seen.append(words)
        if words[0] == "session":
            if self.owner:
                self.owner.ask(data[4:], fds, lambda kind, text: self.reply(number, kind, text))
            else:
                self.reply(number, ERROR, b"session: owner: not running (down)")
            for fd in fds:
                os.close(fd)
            return
        if fds:
            self.wrong.append(f"a descriptor with {words}")
        if words not in self.KNOWN and not (len(words) == 2 and words[0] == "events" and words[1].isdigit()):
            self.wrong.append(f"words {words}")
        if words[0] in self.silent:
            return
        if words[0] in self.refused:
            self.reply(number, ERROR, self.refused[words[0]].encode())
        elif words == ("events", "-f"):
            self.follower = number
            self.reply(number, OK, b'{"next":21}')
        else:
            self.reply(number, OK, json.dumps(self.answer(words)).encode())

    def answer(self, words):
        if words[0] == "events":
            first = max(1, int(words[1])) if len(words) > 1 else 1
            return {"oldest": 1, "next": 21, "events": [event(i) for i in range(first, 21)]}
        if self.big and words[0] == "services":
            return self.big
        return {"status": STATUS, "services": SERVICES, "facts": FACTS, "apps": APPS, "pods": PODS,
                "update": {"message": "no update", "state": "idle"}}[words[0]]

    def reply(self, number, kind, payload):
        self.sock.send(struct.pack("=IB", number, kind) + payload)

    def event(self, seq):
        self.reply(self.follower, EVENT, json.dumps(event(seq)).encode())


class Owner(threading.Thread):
    """PID 1's end of the owner role's channel: asks go there, its own requests are kept, and the update role is played:
    what it is given is in self.uploads as (size, descriptor)."""

    def __init__(self, sock):
        super().__init__(daemon=True)
        self.sock, self.number, self.waiting = sock, 0, {}
        self.code, self.events, self.commands, self.uploads, self.refuse = None, [], [], [], None
        self.start()

    def ask(self, words, fds, done):
        self.number += 1
        self.waiting[self.number] = done
        socket.send_fds(self.sock, [struct.pack("=IB", self.number, ASK) + words], fds)

    def call(self, *words):
        """As somebody at the box."""
        answer, there = [], threading.Event()
        self.ask("\0".join(words).encode() + b"\0", [], lambda *a: (answer.extend(a), there.set()))
        expect(there.wait(5), True, "an answer of the owner role")
        return answer

    def run(self):
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self.sock, 65536, 1)
            except OSError:
                return
            if not data:
                return
            number, = struct.unpack("=I", data[:4])
            if data[4] < 32:
                self.waiting.pop(number)(data[4], data[5:])
                continue
            words = data[4:-1].decode().split("\0")
            if words[:2] == ["owner", "code"]:
                self.code = words[2] if len(words) > 2 else None
            elif words[:2] == ["owner", "event"]:
                self.events.append(words[2])
            else:
                self.commands.append(words)
            text, kind = b'{"message":"started"}', OK
            if self.refuse and words[0] == "update":
                text, kind = self.refuse.encode(), ERROR
            elif fds:
                self.uploads.append((int(words[2]), fds.pop()))
            for fd in fds:
                os.close(fd)
            self.sock.send(struct.pack("=IB", number, kind) + text)


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


class Box:
    """A root folder with just what the two roles need, and the roles in it."""

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


def expect(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: {got!r} instead of {want!r}")


def wait_for(what, name, seconds=5):
    deadline = time.time() + seconds
    while not what():
        if time.time() > deadline:
            raise AssertionError(f"{name}: not in {seconds} s")
        time.sleep(0.01)


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def read_all(s, limit=65536):
    data = b""
    with contextlib.suppress(OSError):
        while len(data) < limit and (d := s.recv(4096)):
            data += d
    return data


# ---- the tests, in the order in which they run; each gets the box ----

def test_cert_made(box):
    expect(box.run_cert(), 0, "exit code")
    expect(oct((box.tls / "key.pem").stat().st_mode), "0o100600", "mode of the key")
    expect(oct(box.tls.stat().st_mode), "0o40700", "mode of the folder")
    before = [(box.tls / n).read_bytes() for n in ("key.pem", "cert.pem")]
    expect(box.run_cert(), 0, "exit code of the second run")
    expect([(box.tls / n).read_bytes() for n in ("key.pem", "cert.pem")], before, "a pair that works")
    expect(sorted(p.name for p in box.tls.iterdir()), ["cert.pem", "key.pem"], "files")


def test_cert_repaired(box):
    key, cert = box.tls / "key.pem", box.tls / "cert.pem"
    old = key.read_bytes()
    for what, damage in (("half a key", lambda: key.write_bytes(key.read_bytes()[:80])),
                         ("no certificate", cert.unlink), ("an empty certificate", lambda: cert.write_bytes(b"")),
                         ("a key of another pair", lambda: key.write_bytes(old))):
        damage()
        before = cert.read_bytes() if cert.exists() else b""
        expect(box.run_cert(), 0, f"exit code after {what}")
        if cert.read_bytes() == before:
            raise AssertionError(f"{what}: kept")
        box.context()
    if "making a new pair" not in box.log.read_text():
        raise AssertionError("the log does not say why")


def test_no_key(box):
    hidden = box.tls.rename(box.root / "state/hidden")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    expect(box.role("web", (theirs.fileno(),)).wait(10), 1, "exit code without a key")
    hidden.rename(box.tls)
    last = box.log.read_text().splitlines()[-1]
    if "/state/tls/key.pem" not in last or "No such file" not in last:
        raise AssertionError(f"log line: {last!r}")
    (box.root / "etc/passwd").write_text("root:x:0:0::/:\n")
    expect(box.role("web", (theirs.fileno(),)).wait(10), 1, "exit code without a user")
    (box.root / "etc/passwd").write_text(PASSWD)
    if "user web" not in box.log.read_text().splitlines()[-1]:
        raise AssertionError("the log does not name the user")
    ours.close()
    theirs.close()


def test_start(box):
    box.start_web()
    deadline = time.time() + 3
    while not box.pid1.follower and time.time() < deadline:
        time.sleep(0.01)
    expect(box.pid1.seen[0], ("events", "-f"), "first request")


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


def test_certificate(box):
    with box.connect() as s:
        c = s.getpeercert()
        expect(s.version() in ("TLSv1.2", "TLSv1.3"), True, f"TLS version {s.version()}")
        expect(s.cipher()[0].split("-")[0] in ("ECDHE", "TLS_AES_256_GCM_SHA384"), True, f"cipher {s.cipher()}")
    names = [v for k, v in c["subjectAltName"] if k == "DNS"]
    expect(names, ["hearth-test", "hearth-test.local", "localhost"], "names")
    first, last = (ssl.cert_time_to_seconds(c[k]) for k in ("notBefore", "notAfter"))
    epoch = re.search(r"BOARD_EPOCH (\d+)", (TOP / "build/gen/board.h").read_text()).group(1)
    expect(str(first), epoch, "first second")
    expect(round((last - first) / 365.25 / 86400, 2), 20.0, "years")
    expect(len(c["serialNumber"]), 32, "digits of the serial number")
    for name in ("hearth-test", "hearth-test.local"):
        box.connect(name).close()
    box.connect(address="::1").close()
    anyone = box.context() # a name that is not ours, or none, is served too: behind a router's own name, by address
    anyone.check_hostname = False
    for name in ("box.example", None):
        with socket.create_connection(("127.0.0.1", 443), 3) as raw:
            anyone.wrap_socket(raw, server_hostname=name).close()


def test_tls_versions(box):
    for version, good in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
        ctx = box.context()
        with warnings.catch_warnings(): # the old ones are deprecated, which is the point
            warnings.simplefilter("ignore", DeprecationWarning)
            ctx.minimum_version = ssl.TLSVersion.TLSv1
            ctx.maximum_version = version
        ctx.set_ciphers("ALL:@SECLEVEL=0")
        with socket.create_connection(("127.0.0.1", 443), 3) as raw:
            try:
                ctx.wrap_socket(raw, server_hostname="localhost").close()
                worked = True
            except (ssl.SSLError, OSError):
                worked = False
        expect(worked, good, version.name)


def test_routes(box):
    for path, body in (("/api/v1/status", STATUS), ("/api/v1/facts", FACTS), ("/api/v1/services", SERVICES),
                       ("/api/v1/apps", APPS), ("/api/v1/pods", PODS),
                       ("/api/v1/update", {"message": "no update", "state": "idle"})):
        status, headers, data = box.ask(path)
        expect((status, headers["content-type"], json.loads(data)), (200, "application/json", body), path)
    expect(json.loads(box.ask("/api/v1/events")[2])["events"][0]["seq"], 1, "events")
    expect(json.loads(box.ask("/api/v1/events?from=7")[2])["events"][0]["seq"], 7, "events from 7")
    status, headers, data = box.ask("/healthz")
    expect((status, data, headers["content-type"]), (200, b"ok\n", "text/plain; charset=utf-8"), "/healthz")
    status, headers, data = box.ask("/")
    expect((status, headers["content-type"]), (200, "text/html; charset=utf-8"), "/")
    expect(data, (TOP / "init/console/assets/index.html").read_bytes(), "the page")
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


def cpu(box):
    f = pathlib.Path(f"/proc/{box.web.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")


def test_large(box):
    """An answer of nearly 32 KiB to a client that reads slowly at first."""
    box.pid1.big = {"services": [{"name": "x" * 1000} for _ in range(31)]}
    with box.connect() as s:
        s.sendall(b"GET /api/v1/services HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(0.3)
        data = read_all(s)
    box.pid1.big, want = None, box.pid1.big
    expect(json.loads(data.split(b"\r\n\r\n", 1)[1]), want, "a large answer")


def test_stream(box):
    with box.connect() as a, box.connect() as b:
        for s in (a, b):
            s.sendall(b"GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
        head = a.recv(4096).decode()
        while "retry:" not in head:
            head += a.recv(4096).decode()
        expect("text/event-stream" in head and "Content-Length" not in head, True, "head of the stream")
        b.recv(4096)
        time.sleep(0.1)
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


def fds(box):
    return len(os.listdir(f"/proc/{box.web.pid}/fd"))


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


def at_rest(box, name):
    """Nothing is left that keeps it busy; a connection of which it is the last end would."""
    for _ in range(20):
        before = cpu(box)
        time.sleep(0.1)
        if cpu(box) - before < 0.05:
            return
    raise AssertionError(f"it spins after {name}; {fds(box)} descriptors")


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
        if fds(box) > 32 + 10:
            raise AssertionError(f"{fds(box)} descriptors")


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


# ---- the owner ----

def test_without_owner_role(box):
    b = Browser(box)
    expect(b.log_in(), 400, "login without an owner role")
    expect(b.send("GET", "/api/v1/session")[0], 400, "session without an owner role")


def test_first_login(box):
    box.start_owner()
    login = box.root / "state/owner/login"
    expect(oct(login.stat().st_mode), "0o100600", "mode of the record")
    expect(oct(login.parent.stat().st_mode), "0o40700", "mode of its folder")
    expect(login.read_text(), f"code {box.owner.code.replace('-', '')}\n", "the record")
    b, code = Browser(box), box.owner.code
    expect(b.send("GET", "/api/v1/session"), (200, {"owner": False, "session": False}), "before")
    expect(b.log_in(), 409, "a password before there is one")
    post = lambda code, password: b.send("POST", "/api/v1/session/first", {"code": code, "password": password})
    expect(post("00000000", PASSWORD)[0], 401, "a wrong code")
    expect(post(code, "too short")[0], 400, "a short password")
    expect(post("", PASSWORD)[0], 400, "no code")
    status, answer = post(code.lower(), PASSWORD)
    expect((status, sorted(answer)), (200, ["csrf", "owner", "session"]), "the right code")
    expect(re.sub("[0-9a-f]{64}", "X", b.headers["set-cookie"]),
           "__Host-hearth=X; Path=/; Secure; HttpOnly; SameSite=Strict", "the cookie")
    expect(b.headers["cache-control"], "no-store", "cached")
    expect(b.send("GET", "/api/v1/session"), (200, {"owner": True, "session": True, "csrf": b.csrf}), "after")
    expect(post(code, PASSWORD)[0], 409, "the code once more")
    wait_for(lambda: not box.owner.code, "PID 1 to forget the code")
    record = login.read_text()
    expect(record.split()[:5], ["argon2id", "v=19", "m=19456", "t=2", "p=1"], "the record")
    secrets = (PASSWORD, code, b.cookie, b.csrf, record.split()[-1])
    for text in (box.log.read_text(), "\n".join(box.owner.events)):
        expect([x for x in secrets if x in text], [], "secrets in logs and events")
    for want in ("wrong code from 127.0.0.1", "first login from 127.0.0.1; the password is set"):
        expect(want in box.owner.events, True, f"event {want!r} in {box.owner.events}")
    expect([p.name for p in login.parent.iterdir()], ["login"], "files")


def test_login(box):
    b = Browser(box)
    start = time.time()
    expect(b.log_in("correct horse batterie"), 401, "a wrong password")
    wrong = time.time() - start
    expect((b.log_in(), len(b.cookie), len(b.csrf)), (200, 64, 64), "the right one")
    expect(b.send("POST", "/api/v1/session/end", {}), (200, {"owner": True, "session": False}), "logout")
    expect((b.cookie, "Max-Age=0" in b.headers["set-cookie"]), (None, True), "the cookie")
    for body, status in ((b"", 411), (b"x", 400), (b"{}", 400), (b'{"password":""}', 400), (b"x" * 1025, 413),
                         ({"password": "x" * 257}, 400), ({"code": "x", "password": PASSWORD}, 400)):
        expect(b.send("POST", "/api/v1/session", body)[0], status, f"body {body!r:.40}")
    for headers, status in (({"Content-Type": "text/plain"}, 415), ({"Content-Type": None}, 415),
                            ({"Origin": "https://evil.example"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
                            ({"Origin": "https://localhost" + "x" * 500}, 403), ({"Origin": "null"}, 403)):
        expect(b.send("POST", "/api/v1/session", {"password": PASSWORD}, headers)[0], status, f"login with {headers}")
    return f"a wrong password takes {wrong * 1000:.0f} ms"


def test_sessions(box):
    a, b = Browser(box), Browser(box)
    expect((a.log_in(), b.log_in()), (200, 200), "two logins")
    reboot = {"words": ["reboot"]}
    for headers, status in (({"X-Hearth-CSRF": None}, 403), ({"X-Hearth-CSRF": b.csrf}, 403), ({"Cookie": None}, 401),
                            ({"X-Hearth-CSRF": a.csrf[:-1]}, 403), ({"Cookie": "__Host-hearth=" + "0" * 64}, 401),
                            ({"Cookie": f"__Host-hearth={a.cookie}; __Host-hearth={b.cookie}"}, 401),
                            ({"Origin": "https://evil.example"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403)):
        expect(a.send("POST", "/api/v1/command", reboot, headers)[0], status, f"with {headers}")
    expect(box.owner.commands, [], "commands so far")
    expect(a.send("POST", "/api/v1/command", reboot), (200, {"message": "started"}), "a command")
    expect(a.send("POST", "/api/v1/command", reboot, own=False)[0], 200, "from a program, without Origin")
    expect(a.send("POST", "/api/v1/command", {"words": ["update", "install", "https://h/x"]})[0], 200, "an update")
    expect(box.owner.commands, [["reboot"], ["reboot"], ["update", "install", "https://h/x"]], "commands")
    for words, status in ((["stop", "web"], 403), (["owner", "code"], 403), (["session", "show", "-"], 403), ([], 400),
                          (["a\nb"], 400), ("reboot", 400)):
        expect(a.send("POST", "/api/v1/command", {"words": words})[0], status, f"{words}")
    expect(a.send("GET", "/api/v1/command")[0], 405, "GET")
    a.send("POST", "/api/v1/session/end", {}, {"Cookie": "__Host-hearth=" + b.cookie, "X-Hearth-CSRF": b.csrf})
    expect(b.send("POST", "/api/v1/command", reboot)[0], 401, "after logging out")


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


def rss(box):
    return int(status_of(box.web.pid)["VmRSS"].split()[0])


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
    time.sleep(1)
    stuck, before = sent[0], cpu(box)
    time.sleep(1)
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


def test_lock_out(box):
    """Three wrong tries are free, then it takes 2 s; the right password meanwhile is not even looked at."""
    b = Browser(box)
    expect(b.log_in(), 200, "the right one")
    for i in range(4):
        expect(b.log_in("wrong password"), 401, f"try {i}")
    expect(b.log_in(), 429, "the right one too soon")
    wait_for(lambda: any("no other try for 2 s" in e for e in box.owner.events), "the event")
    time.sleep(2.1)
    expect(b.log_in(), 200, "the right one in time")
    results = []
    threads = [threading.Thread(target=lambda: results.append(Browser(box).log_in()), daemon=True) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(10)
    expect((set(results) <= {200, 503}, 200 in results), (True, True), f"six at once {results}")


def test_expiry(box):
    b = Browser(box)
    expect(b.log_in(), 200, "login")
    box.stop_owner()
    box.start_owner("--idle-ms", "400", "--whole-ms", "1500")
    expect(b.send("GET", "/api/v1/session")[1]["session"], False, "a session after a restart of the role")
    expect(box.owner.code, None, "a code after a restart")
    expect(b.log_in(), 200, "login")
    start = time.time()
    while time.time() - start < 1.2:
        expect(b.send("GET", "/api/v1/session")[1]["session"], True, "a session in use")
        time.sleep(0.1)
    time.sleep(0.4)
    expect(b.send("POST", "/api/v1/command", {"words": ["reboot"]})[0], 401, "after its whole time")
    expect(b.log_in(), 200, "login")
    time.sleep(0.5)
    expect(b.send("POST", "/api/v1/command", {"words": ["reboot"]})[0], 401, "unused for too long")
    box.stop_owner()
    box.start_owner()


def test_reset(box):
    b = Browser(box)
    expect(b.log_in(), 200, "login")
    kind, _ = box.owner.call("owner", "reset")
    expect(kind, OK, "reset")
    wait_for(lambda: box.owner.code, "a new code")
    expect(b.send("GET", "/api/v1/session"), (200, {"owner": False, "session": False}), "the session")
    expect(b.log_in(), 409, "the old password")
    expect(b.send("POST", "/api/v1/session/first", {"code": box.owner.code, "password": "another password"})[0], 200,
           "the new code")
    expect((b.log_in("another password"), b.log_in()), (200, 401), "the new and the old password")
    box.stop_owner()
    login = box.root / "state/owner/login"
    login.write_text(login.read_text()[:40])
    box.start_owner()
    expect(len(box.owner.code or ""), 9, "a code when the record is broken")
    wait_for(lambda: "the record of the login was broken" in " ".join(box.owner.events), "the event")


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


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 1)) # SIOCSIFFLAGS, IFF_UP


TESTS = [test_cert_made, test_cert_repaired, test_no_key, test_start, test_caged, test_certificate, test_tls_versions,
         test_routes, test_head, test_headers, test_errors, test_keep_alive, test_pipelined, test_large, test_stream,
         test_stream_limit, test_silent_pid1, test_garbage, test_memory, "slow", test_silent_connections,
         test_forty_at_work, test_without_owner_role, test_first_login, test_login, test_sessions, test_upload,
         test_upload_slow_reader, test_upload_cut, test_upload_refused, test_lock_out, test_expiry, test_reset,
         test_idle, test_protocol, test_end, test_busy_port]


def inside():
    """In namespaces of our own: runs everything, returns the rows."""
    rows, beside = [], {}
    loopback_up()
    folder = tempfile.mkdtemp()
    box = Box(folder)
    try:
        for test in TESTS:
            start = time.time()
            name = test if isinstance(test, str) else test.__name__[5:]
            try:
                detail = (beside[test].check if test in beside else test)(box) or ""
                if beside and box.web.poll() is None:
                    at_rest(box, name)
                verdict = "pass"
            except Exception as e:
                verdict, detail = "fail", f"{type(e).__name__}: {e}".replace("\t", " ").replace("\n", " ")
            rows.append((verdict, name, f"{time.time() - start:.2f}", detail))
            if verdict == "fail":
                print(f"web: {name}: {detail}")
            if name == "start":
                if verdict == "fail":
                    break
                beside = {"slow": SlowClients(box)}
        if any(r[0] == "fail" for r in rows):
            print("last lines of the log:\n" + "\n".join(box.log.read_text().splitlines()[-15:]))
    finally:
        box.stop_web()
        subprocess.run(["umount", "-R", folder], check=False)
        os.rmdir(folder) # never a recursive removal: something may still be mounted there
    return rows


def main():
    if "--inside" not in sys.argv:
        if os.geteuid():
            sys.exit("web.py: needs root, for namespaces")
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
