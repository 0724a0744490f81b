"""The other ends of the roles' channels, strictly by core/proto.h."""
import json
import os
import socket
import struct
import threading

from web.check import expect
from web.said import APPS, BOOTS, FACTS, PODS, SERVICES, SLOTS, SNAPSHOTS, STATUS, UPDATE, event

OK, ERROR, EVENT, ASK = 1, 2, 3, 4


class Pid1(threading.Thread):
    """The other end of descriptor 3. Whatever is not a request by core/proto.h is kept in self.wrong."""
    KNOWN = {("status",), ("services",), ("facts",), ("apps",), ("pods",), ("events",), ("events", "-f"), ("update",),
             ("slots",), ("boots",), ("snapshots",)}

    def __init__(self, sock):
        super().__init__(daemon=True)
        self.sock, self.wrong, self.seen, self.ids = sock, [], [], set()
        self.silent, self.refused, self.follower, self.big = set(), {}, None, None
        self.owner = self.held = None  # held: the last request that is not answered
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
            self.held = number
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
                "update": UPDATE, "slots": SLOTS, "boots": BOOTS, "snapshots": SNAPSHOTS}[words[0]]

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
