"""An HTTP/1.1 server that serves one file, with and without TLS, and breaks whatever the query asks for.

server.py FOLDER: cert.pem and key.pem are there. Prints "http://127.0.0.1:PORT https://127.0.0.1:PORT", runs until its
standard input ends. Byte i of every file is (i * 7 + i / 256 + edition) mod 256.

  /file?id=NAME     id: whose counters these are; each case has its own
    size=N          bytes of the file (100000)
    etag=T          sent as it stands; none: no ETag        modified=T    Last-Modified
    norange=1       ranges are ignored                      chunked=1     no length: chunks
    nolength=1      neither length nor chunks; closes
    change=K        from the K-th answer on: another edition, and its ETag has a "2" in it
    lose=1          the changed edition is served by 206 all the same
    span=WORD       a lie in Content-Range: first last total star junk none twice
    length=N        added to Content-Length                 encoding=T    Content-Encoding
    body=N          added to the bytes in the body, Content-Length left out, in chunks
  only for the first `times` answers (1):
    cut=N           closes behind N bytes of the body
    stall=N         N bytes, then nothing until the client goes
    drip=MS         one byte every MS milliseconds
    mute=1          no answer at all, until the client goes
    drop=1          closes without an answer
    status=N        with after=T as Retry-After
  /to?N&URL         redirect with status N to URL (as it stands)
  /loop             to itself
  /stale?id=NAME    redirect to /file?id=NAME&token=K, where K goes up with every redirect
    token=K         403 after the second answer with the same K
  /log?id=NAME      what was asked: a line "PATH-FREE: connection RANGE IF-RANGE" for each request
"""

import functools
import socket
import ssl
import sys
import threading
import time
from urllib.parse import parse_qsl

lock = threading.Lock()
asked: dict[str, list[str]] = {}  # by id
connections = 0


@functools.cache
def content(size: int, edition: int) -> bytes:
    period = bytes((i * 7 + i // 256 + edition) & 255 for i in range(65536))
    return (period * (size // 65536 + 1))[:size]


def until_gone(sock: socket.socket) -> None:
    sock.settimeout(30)
    try:
        while sock.recv(1024):
            pass
    except OSError:
        pass


def span_of(head: dict[str, str], size: int) -> tuple[int, int] | None:
    """First and last of the range that is asked for."""
    text = head.get("range", "")
    if not text.startswith("bytes="):
        return None
    first, last = text[6:].split("-")
    return int(first), min(int(last), size - 1) if last else size - 1


def lie(word: str, first: int, last: int, size: int) -> str:
    """The Content-Range header."""
    texts = {
        "": f"bytes {first}-{last}/{size}",
        "first": f"bytes {first + 1}-{last}/{size}",
        "last": f"bytes {first}-{last - 1}/{size}",
        "total": f"bytes {first}-{last}/{size + 1}",
        "star": f"bytes {first}-{last}/*",
        "junk": "bytes all of it",
        "none": "",
        "twice": f"bytes {first}-{last}/{size}",
    }
    text = texts[word]
    line = f"Content-Range: {text}\r\n" if text else ""
    return line * (2 if word == "twice" else 1)


def send_body(sock: socket.socket, q: dict[str, str], body: bytes, trouble: bool) -> bool:
    """False: the connection is of no use any more."""
    if trouble and "cut" in q:
        sock.sendall(body[: int(q["cut"])])
        return len(body) <= int(q["cut"])
    if trouble and "stall" in q:
        sock.sendall(body[: int(q["stall"])])
        until_gone(sock)
        return False
    if trouble and "drip" in q:
        for i in range(len(body)):
            sock.sendall(body[i : i + 1])
            time.sleep(int(q["drip"]) / 1000)
        return True
    if "chunked" in q or "body" in q:
        for at in range(0, len(body), 7000):
            piece = body[at : at + 7000]
            sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        sock.sendall(b"0\r\n\r\n")
        return True
    sock.sendall(body)
    return "nolength" not in q


def serve_file(sock: socket.socket, q: dict[str, str], head: dict[str, str], number: int) -> bool:
    trouble = number <= int(q.get("times", 1))
    edition = 1 if "change" in q and number >= int(q["change"]) else 0
    size = int(q.get("size", 100000)) + 10 * edition
    etag = q.get("etag", '"one"')
    if edition:
        etag = etag[:-1] + '2"'
    if trouble and "mute" in q:
        until_gone(sock)
        return False
    if trouble and "drop" in q:
        return False
    if trouble and "status" in q:
        after = f"Retry-After: {q['after']}\r\n" if "after" in q else ""
        sock.sendall(f"HTTP/1.1 {q['status']} No\r\n{after}Content-Length: 4\r\n\r\nsad\n".encode())
        return True
    if "token" in q and number > 2:
        sock.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        return True
    text = "HTTP/1.1 {}\r\n"
    text += f"ETag: {etag}\r\n" if etag != "none" else ""
    text += f"Last-Modified: {q['modified']}\r\n" if "modified" in q else ""
    text += f"Content-Encoding: {q['encoding']}\r\n" if "encoding" in q else ""
    span = None if "norange" in q else span_of(head, size)
    known = head.get("if-range", etag)
    if "lose" not in q and known not in (etag, q.get("modified")):
        span = None
    first, last = span or (0, size - 1)
    if span and first >= size:
        sock.sendall(f"HTTP/1.1 416 No\r\nContent-Range: bytes */{size}\r\nContent-Length: 0\r\n\r\n".encode())
        return True
    body = content(size, edition)[first : last + 1]
    extra = int(q.get("body", 0))
    body = body[:extra] if extra < 0 else body + b"x" * extra
    if span:
        text += lie(q.get("span", ""), first, last, size)
    if "chunked" in q or "body" in q:
        text += "Transfer-Encoding: chunked\r\n"
    elif "nolength" not in q:
        text += f"Content-Length: {last - first + 1 + int(q.get('length', 0))}\r\n"
    sock.sendall((text.format("206 Partial" if span else "200 OK") + "\r\n").encode())
    return send_body(sock, q, body, trouble)


def redirect(sock: socket.socket, status: str, to: str) -> bool:
    sock.sendall(f"HTTP/1.1 {status} There\r\nLocation: {to}\r\nContent-Length: 5\r\n\r\nthere".encode())
    return True


def answer(sock: socket.socket, target: str, head: dict[str, str], connection: int) -> bool:
    path, _, query = target.partition("?")
    if path == "/to":
        status, _, to = query.partition("&")
        return redirect(sock, status, to)
    if path == "/loop":
        return redirect(sock, "302", "/loop?x" if not query else f"/loop?{len(query) * 'x'}x")
    q = dict(parse_qsl(query, keep_blank_values=True))
    name = q.get("id", "") + q.get("token", "")
    with lock:
        lines = asked.setdefault(name, [])
        if path != "/log":
            lines.append(f"{connection} {head.get('range', '-')} {head.get('if-range', '-')}")
        number = len(lines)
    if path == "/log":
        text = "".join(line + "\n" for line in lines).encode()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        return True
    if path == "/stale":
        return redirect(sock, "302", f"/file?id={q['id']}&token={number}")
    if path == "/file":
        return serve_file(sock, q, head, number)
    sock.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nno\n")
    return True


def read_head(f) -> tuple[str, dict[str, str]] | None:
    line = f.readline(65536).decode()
    head = {}
    while text := f.readline(65536).decode().strip():
        name, _, value = text.partition(":")
        head[name.lower()] = value.strip()
    return (line.split(" ")[1], head) if " " in line else None


def converse(sock: socket.socket, tls: ssl.SSLContext | None) -> None:
    global connections
    with lock:
        connections += 1
        mine = connections
    try:
        if tls:
            sock = tls.wrap_socket(sock, server_side=True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock.makefile("rb") as f:
            while (got := read_head(f)) and answer(sock, got[0], got[1], mine):
                pass
    except OSError:
        pass
    finally:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()


def listen(tls: ssl.SSLContext | None) -> int:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept() -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=converse, args=(sock, tls), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def main() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{sys.argv[1]}/cert.pem", f"{sys.argv[1]}/key.pem")
    print(f"http://127.0.0.1:{listen(None)} https://127.0.0.1:{listen(tls)}", flush=True)
    sys.stdin.read()


main()
