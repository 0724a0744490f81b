"""The owner's browser: one cookie and one CSRF text, over HTTPS. The certificate is the box's own: not checked here."""
import http.client
import json
import re
import ssl

from vm import Failure

PASSWORD = "correct horse battery"


class Browser:
    def __init__(self, box):
        self.box, self.cookie, self.csrf = box, None, None

    def send(self, method, path, body, headers=None, size=None):
        """(status, answer) of one request. body: bytes, or what becomes JSON. size: what is said of its length."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {"Content-Type": "application/json", "Content-Length": str(size or len(data)),
               "Cookie": self.cookie, "X-Hearth-CSRF": self.csrf, **(headers or {})}
        line = http.client.HTTPSConnection("127.0.0.1", self.box.port, context=context, timeout=300)
        try:
            line.request(method, path, data, {k: v for k, v in own.items() if v is not None})
            reply = line.getresponse()
            answer = json.loads(reply.read())
        finally:
            line.close()
        if m := re.match(r"(__Host-hearth=[0-9a-f]+);", reply.headers.get("set-cookie", "")):
            self.cookie = m[1]
        self.csrf = answer.get("csrf", self.csrf)
        return reply.status, answer

    def session(self, path, body):
        """On a starved machine a password takes longer than a box allows: then once more, as a person would."""
        for _ in range(5):
            status, answer = self.send("POST", path, body)
            if status not in (500, 503, 504):
                break
        return status, answer

    def log_in(self):
        return self.session("/api/v1/session", {"password": PASSWORD})[0]

    def first_login(self):
        """With the code that only the consoles at the box show."""
        said = self.box.command("owner")
        code = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", said)
        if not code:
            raise Failure(f"`owner` shows no code:\n{said}")
        status, answer = self.session("/api/v1/session/first", {"code": code[0], "password": PASSWORD})
        if status != 200:
            raise Failure(f"first login: {status}: {answer}\n{self.box.command('logs owner -n 20')}")
        return self

    def command(self, *words):
        return self.send("POST", "/api/v1/command", {"words": list(words)})

    def part(self, data, at):
        """Of an upload in parts; at: where it begins."""
        return self.send("PUT", f"/api/v1/update/upload?from={at}", data)

    def upload(self, data, headers=None, size=None):
        return self.send("PUT", "/api/v1/update/upload", data, headers, size)
