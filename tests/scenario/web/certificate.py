"""Key and certificate: made, kept, repaired, served."""
import re
import socket
import ssl
import warnings

from web.box import PASSWD, TOP
from web.check import expect


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
    if "no user 'web'" not in box.log.read_text().splitlines()[-1]:
        raise AssertionError("the log does not name the user")
    ours.close()
    theirs.close()


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
