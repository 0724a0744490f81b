"""A hardware clock of 1999: the box starts at its build date, not in the past, and takes the right time from a
server when one answers."""
import datetime
import socket
import struct
import threading
import time

import board
import disk
from run import check

NTP_OF_1970 = 2208988800
AHEAD = 400 * 86400  # the server's lead over the build date


def serve_ntp(sock, base, started):
    """RFC 5905 in its smallest form: mode 4, stratum 1."""
    while True:
        try:
            data, peer = sock.recvfrom(128)
        except OSError:
            return
        now = base + time.monotonic() - started + NTP_OF_1970
        stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
        head = struct.pack("!BBbbII4s", 0x24, 1, 6, -20, 0, 0, b"TEST")
        sock.sendto(head + stamp + data[40:48] + stamp + stamp, peer)


def epoch():
    return int(board.values()["EPOCH"])


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def run(case):
    box = case.vm(direct=True, rtc="1999-01-01T00:00:00").start()
    box.prompt()
    status = box.api("status")
    check(seconds(status["time"]) >= epoch(), f"the clock says {status['time']}")
    check(not status["time_synced"], "no server was asked, yet the time counts as synced")
    box.settled()
    box.power_off()

    disk.put(box.disk, "time-servers: [10.0.2.2]\n", "/settings.yaml")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 123))
        base = epoch() + AHEAD
        threading.Thread(target=serve_ntp, args=(server, base, time.monotonic()), daemon=True).start()
        box.start()
        box.prompt()
        status = box.until("the time is synced", lambda: (s := box.api("status"))["time_synced"] and s, 240)
    check(abs(seconds(status["time"]) - base) < 900, f"the server said {base}, the box says {status['time']}")
