#!/usr/bin/env python3
"""The console's page on this machine, to look at it in a browser: show.py [PORT]. The box behind it is played: an
update gets on by itself, can be paused, fails when its address has "bad" in it; a restart takes some seconds; any
password is right. /?as=safe, /?as=trial, /?as=first, /?as=starting show the box in other states."""
import http.server
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
ASSETS = pathlib.Path(__file__).resolve().parents[3] / "init/console/assets"
sys.path.insert(0, str(ASSETS))
sys.dont_write_bytecode = True

import embed  # noqa: E402
from web import said  # noqa: E402

MIB = 1 << 20
PHASES = (("fetching the hash tree", 3), ("looking at what is there already", 400),
          ("copying from the running slot", 362), ("downloading", 38), ("downloading the kernel", 61),
          ("reading back", 400))
BUNDLE = {"version": "0.2.0", "build": "6f2c1d0", "created": "2026-11-20T10:00:00Z", "size": 463 * MIB,
          "kubernetes": "v1.36.4+k3s1 (release)", "fetch": 102 * MIB,
          "changes": "k3s 1.36.4.\nVolumes can be copied before an update.\nThe screen shows why the box restarted."}
AS = {
    "safe": {"system": "safe", "detail": "no slot is good", "problems": [
        "safe mode: no slot is good: slot b: node-ready missing", "in safe mode neither Kubernetes nor the box's own "
        "services are started. `boots` shows what happened; `rollback` takes the other slot, `update` a new version, "
        "`reboot` tries again"]},
    "trial": {"health": "waiting for node-ready, app-transmission; 7:12 left"},
    "starting": {"system": "booting", "waiting": "waiting for data: xfs_repair runs", "stages": [
        {"name": "state", "state": "done", "detail": "", "ms": 410},
        {"name": "data", "state": "running", "detail": "xfs_repair", "ms": 3800},
        {"name": "network", "state": "waiting", "detail": "", "ms": 0}]},
}


class Played:
    """The box: what it says now."""
    began, down, session, state, source, at, why, kind = time.time() - 275_460, 0, False, "idle", "", 0.0, "", ""
    given = 0.0  # when the last part of an upload came

    def advance(self, passed):
        """`at` counts the MiB that are done, over all phases."""
        if self.state == "asking":
            self.state = "failed" if "bad" in self.source else "loading"
            self.why = "the signature is of nobody known to this box"
        elif self.state in ("loading", "waiting") and self.asks():
            self.state = "waiting" if time.time() - self.given > 5 else "loading"
        elif self.state == "loading":
            self.at += 60 * passed
            if self.at >= sum(n for _, n in PHASES):
                self.state = "ready"

    def asks(self):
        """An upload that is at its download goes on with what comes."""
        begins = sum(n for _, n in PHASES[:3])
        return self.source.startswith("upload:") and begins <= self.at < begins + PHASES[3][1]

    def update(self):
        said_so = {"idle": "no update is under way", "asking": f"asking {self.source}", "failed": f"failed: {self.why}",
                   "paused": "version 0.2.0: paused", "ready": "version 0.2.0 in slot b; restart to try it",
                   "loading": "version 0.2.0 is being installed",
                   "waiting": "waiting for the file: nobody sends it; choose it again in the page of this box"}
        a = {"message": said_so[self.state], "state": self.state}
        if self.state != "idle":
            a |= {"source": self.source, "version": "0.2.0"}
        if self.state == "ready":
            a |= {"copied": 362 * MIB, "kept": 0, "fetched": 102 * MIB}
        if self.asks() and self.state in ("loading", "waiting"):
            a["want"] = {"from": int(self.at * MIB) // 4096, "length": 4096}
        left = self.at
        for name, n in PHASES if self.state in ("loading", "paused", "waiting") else ():
            if left < n:
                return a | {"phase": name, "done": int(left * MIB), "total": n * MIB, "fetched": 0}
            left -= n
        return a

    def command(self, words):
        if words[0] in ("reboot", "rollback"):
            self.down, self.began, self.state = time.time() + 8, time.time() + 8, "idle"
            return {"message": "restart: services are being stopped"}
        if words[0] == "snapshots":
            return {"message": f"{words[1]}: asked for"}
        if words[1] == "check":
            return {"message": "0.2.0 is there, of 2026-11-20", "version": "0.2.0", "size": BUNDLE["size"],
                    "source": "https://updates.example/hearth-0.2.0.hearth", "channel": "stable", "edition": 12}
        if words[1] == "show":
            return BUNDLE | ({"file": "hearth-0.2.0.hearth"} if words[2] == "usb" else {})
        if words[1] == "install":
            self.state, self.source, self.at = "asking", (words[2:] or ["the channel"])[0], 0.0
            self.given = time.time() + 12  # until its download
            return {"message": "started: version 0.2.0, a bundle of 463 MiB"}
        self.state = {"pause": "paused", "resume": "loading", "cancel": "idle"}[words[1]]
        return self.update()

    def answer(self, path):
        status = said.STATUS | AS.get(self.kind, {}) | {"uptime_ms": int((time.time() - self.began) * 1000)}
        return {"status": status, "services": said.SERVICES, "apps": said.APPS, "pods": said.PODS, "slots": said.SLOTS,
                "boots": said.BOOTS, "snapshots": said.SNAPSHOTS, "update": self.update(), "events": {
                    "oldest": 1, "next": 21, "events": [said.event(i) for i in range(1, 21)]},
                "session": {"owner": self.kind != "first", "session": self.session, "csrf": "1" * 64}}[path]


class Server(http.server.BaseHTTPRequestHandler):
    """As console/web_route has it, but for who may."""
    box, last = Played(), time.time()

    def say(self, status, body, kind="application/json"):
        page = embed.page_of(ASSETS)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; script-src "
                         f"{embed.csp_hash(embed.only('script', page))}; style-src "
                         f"{embed.csp_hash(embed.only('style', page))}; connect-src 'self'; img-src 'self'; "
                         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        self.end_headers()
        self.wfile.write(body)

    def stream(self):
        """Nothing happens in it; it ends with the box."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        while self.box.down < time.time():
            self.wfile.write(b":\n\n")
            self.wfile.flush()
            time.sleep(0.5)

    def json(self, value):
        self.say(200, json.dumps(value).encode())

    def turn(self):
        """Time goes by; False while the box restarts."""
        now = time.time()
        self.box.advance(now - Server.last)
        Server.last = now
        return now > self.box.down

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if not self.turn():
            return
        if path == "/":
            self.box.kind = query.removeprefix("as=")
            self.say(200, embed.page_of(ASSETS).encode(), "text/html; charset=utf-8")
        elif path == "/favicon.ico":
            self.say(200, (ASSETS / "icon.svg").read_bytes(), "image/svg+xml")
        elif path == "/api/v1/events/stream":
            self.stream()
        else:
            self.json(self.box.answer(path.rsplit("/", 1)[1]))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.turn()
        if self.path == "/api/v1/command":
            self.json(self.box.command(body["words"]))
        else:
            self.box.session = not self.path.endswith("/end")
            self.json(self.box.answer("session"))

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.box.given = time.time()
        self.box.at += 0.5
        time.sleep(0.1)
        self.json({"message": "all of it is with the update service, which goes on by itself"})

    def log_message(self, *args):
        """Nothing: the page asks every second."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    print(f"http://127.0.0.1:{port}/")
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Server).serve_forever()
