"""The owner: first login, password, sessions, what a session may do, waits, reset."""
import re
import threading
import time

from web.browser import PASSWORD, Browser
from web.check import expect, wait_for
from web.pid1 import OK


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


def test_lock_out(box):
    """Three wrong tries are free, then it takes 2 s; the right password meanwhile is not even looked at."""
    b = Browser(box)
    expect(b.log_in(), 200, "the right one")
    for i in range(4):
        expect(b.log_in("wrong password"), 401, f"try {i}")
    expect(b.log_in(), 429, "the right one too soon")
    start = time.time()
    wait_for(lambda: any("no other try for 2 s" in e for e in box.owner.events), "the event")
    wait_for(lambda: b.log_in() == 200, "the right one in time", 10)
    if time.time() - start < 1.5:
        raise AssertionError(f"let in after {time.time() - start:.1f} s")
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
    box.start_owner("--idle-ms", "600", "--whole-ms", "1500")
    session = lambda: b.send("GET", "/api/v1/session")[1]["session"]
    expect(session(), False, "a session after a restart of the role")
    expect(box.owner.code, None, "a code after a restart")
    start = time.time()
    expect(b.log_in(), 200, "login")
    wait_for(lambda: not session(), "the end of a session in use")
    if time.time() - start < 1.5:
        raise AssertionError(f"a session in use ended after {time.time() - start:.1f} s")
    expect(b.send("POST", "/api/v1/command", {"words": ["reboot"]})[0], 401, "after its whole time")
    expect(b.log_in(), 200, "login")
    time.sleep(0.7)  # unused: asking would be using it
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
