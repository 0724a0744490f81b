#!/usr/bin/env python3
"""Makes bundles of a small root and looks at them with the real program: run.py [CASE...].

Every key is made here and thrown away. Writes build/results/bundle-test.tsv (verdict, name, seconds, detail)."""
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback

TOP = pathlib.Path(__file__).resolve().parents[2]
HEARTH = TOP / "build/hearth"
NAMES = ["manifest.yaml", "manifest.sig", "root.verity", "uki.hashes", "uki.efi", "root.erofs"]
SALT = re.search(r"^VERITY_SALT := (\w+)$", (TOP / "board/board.mk").read_text(), re.M).group(1)
CASES = []


def case(fn):
    CASES.append(fn)
    return fn


def run(*command, env=None, good=True, stdin=None):
    p = subprocess.run([str(c) for c in command], cwd=TOP, env={**os.environ, **(env or {})}, input=stdin,
                       capture_output=True, check=False)
    if good is not None and good != (p.returncode == 0):
        raise AssertionError(f"{command}: exit status {p.returncode}: {p.stdout!r} {p.stderr!r}")
    return p


def key(path, curve="prime256v1"):
    run("openssl", "ecparam", "-name", curve, "-genkey", "-noout", "-out", path)
    return path


class Box:
    """An output folder as board/ leaves it, with keys of its own."""

    def __init__(self, where, blocks=300, **keys):
        self.out = where / "out"
        self.env = {"XDG_CACHE_HOME": str(where / "cache"), "KEY": "", "NEXT_KEY": "", **keys}
        root = self.out / "root"
        (root / "usr/share/hearth").mkdir(parents=True)
        (root / "usr/lib").mkdir()
        (root / "usr/lib/os-release").write_text("VERSION_ID=0.2.0\nBUILD_ID=abc123\n")
        (root / "usr/share/hearth/build-epoch").write_text("1795564800\n")
        (root / "usr/share/hearth/kube").write_text("k3s v1.36 (\"modules\")\n")
        run("board/keys.sh", "public", self.keys, env=self.env)
        (self.out / "uki.efi").write_bytes(b"MZ" + bytes(range(256)) * 40)
        self.image(blocks)

    @property
    def keys(self):
        return self.out / "root/etc/hearth/update-keys"

    def image(self, blocks, first=b""):
        img = self.out / "root.img"
        img.write_bytes(first + b"".join(i.to_bytes(4, "big") * 1024 for i in range(blocks))[len(first):])
        said = run("veritysetup", "format", img, img, f"--hash-offset={blocks * 4096}", f"--salt={SALT}",
                   "--uuid=01234567-89ab-4cde-8f01-23456789abcd").stdout.decode()
        root_hash = re.search(r"Root hash:\s*(\w+)", said).group(1)
        (self.out / "root.env").write_text(f"ROOT_UUID=01234567-89ab-4cde-8f01-23456789abcd\nROOT_HASH={root_hash}\n"
                                           f"ROOT_BYTES={blocks * 4096}\n")

    def make(self, good=True):
        p = run("board/bundle.sh", self.out, env=self.env, good=good)
        return self.out / "hearth-0.2.0.hearth" if good else p.stderr.decode()

    def private(self):
        return run("board/keys.sh", "private", env=self.env).stdout.decode().strip()


def verify(bundle, keys):
    """What it says when it is good."""
    return run(HEARTH, "bundle", "verify", "--keys", keys, bundle).stdout.decode().strip()


def refuses(bundle, keys, want, how=("verify",)):
    for word in how:
        p = run(HEARTH, "bundle", word, "--keys", keys, bundle, good=False)
        said = p.stderr.decode()
        assert p.returncode == 1 and said.count("\n") == 1 and want in said, f"{word}: {said!r}, wanted {want!r}"
        assert p.stdout == b""


def members(bundle):
    with tarfile.open(bundle) as t:
        return {m.name: t.extractfile(m).read() for m in t.getmembers()}


def pack(path, parts):
    """parts: [(name, bytes, {field: value})]."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as t:
        for name, data, fields in parts:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1795564800
            for field, value in fields.items():
                setattr(info, field, value)
            t.addfile(info, io.BytesIO(data))
        # tarfile would pad to 10 KiB.
        size = t.offset + 1024
    os.truncate(path, size)
    return path


def sign(private, text, where):
    (where / "text").write_bytes(text)
    return run(TOP / "build/sign", private, where / "text").stdout


@case
def is_good(where):
    box = Box(where)
    bundle = box.make()
    said = verify(bundle, box.keys)
    assert said == "hearth-0.2.0.hearth: good; version 0.2.0 for x86-64-efi, signed by current", said
    info = run(HEARTH, "bundle", "info", "--keys", box.keys, bundle).stdout.decode()
    for line in ("version     0.2.0 (build abc123)", "board       x86-64-efi", "created     2026-11-25T00:00:00Z",
                 "kubernetes  k3s v1.36 (\"modules\")", "signed by   current", "changes     The first version"):
        assert line in info, info
    with tarfile.open(bundle) as t:
        assert [m.name for m in t.getmembers()] == NAMES
        assert all((m.mode, m.uid, m.gid, m.uname, m.type) == (0o644, 0, 0, "", tarfile.REGTYPE) for m in t)
    # Python's own writer gives the same bytes.
    parts = members(bundle)
    again = pack(where / "again", [(n, parts[n], {}) for n in NAMES])
    assert again.read_bytes() == bundle.read_bytes()


@case
def trees_of_all_sizes(where):
    box = Box(where)
    for blocks in (1, 2, 128, 129, 128 * 128, 128 * 128 + 1):
        box.image(blocks)
        parts = members(box.make())
        for name in ("root.erofs", "root.verity"):
            (where / name).write_bytes(parts[name])
        root_hash = re.search(rb"hash: (\w+)", parts["manifest.yaml"]).group(1).decode()
        run("veritysetup", "verify", where / "root.erofs", where / "root.verity", root_hash)


@case
def same_inputs_same_bytes(where):
    box = Box(where)
    first = box.make().read_bytes()
    assert box.make().read_bytes() == first
    other = Box(where / "much/deeper", KEY=box.private(), NEXT_KEY=box.private().replace("current", "next"))
    umask = os.umask(0o077)
    assert other.make().read_bytes() == first
    os.umask(umask)
    (other.out / "uki.efi").write_bytes(b"other")
    assert other.make().read_bytes() != first


@case
def signature_is_deterministic(where):
    """RFC 6979, A.2.5, P-256 with SHA-256, message "sample"."""
    d = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
    (where / "conf").write_text(f"asn1=SEQUENCE:k\n[k]\nv=INTEGER:1\nd=FORMAT:HEX,OCTETSTRING:{d}\n"
                                "c=EXPLICIT:0,OID:prime256v1\n")
    run("openssl", "asn1parse", "-genconf", where / "conf", "-noout", "-out", where / "der")
    run("openssl", "ec", "-inform", "DER", "-in", where / "der", "-out", where / "key")
    sig = sign(where / "key", b"sample", where).hex().upper()
    assert "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716" in sig, sig
    assert "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8" in sig, sig


@case
def openssl_agrees(where):
    box = Box(where)
    bundle = box.make()
    parts = members(bundle)
    (where / "text").write_bytes(parts["manifest.yaml"])
    (where / "sig").write_bytes(parts["manifest.sig"])
    run("openssl", "dgst", "-sha256", "-verify", box.keys / "current.pem", "-signature", where / "sig", where / "text")
    for _ in range(20):  # theirs are of several lengths
        run("openssl", "dgst", "-sha256", "-sign", box.private(), "-out", where / "sig", where / "text")
        parts["manifest.sig"] = (where / "sig").read_bytes()
        verify(pack(where / "theirs", [(n, parts[n], {}) for n in NAMES]), box.keys)


@case
def keys_rotate(where):
    one, two, three = (key(where / n) for n in ("one", "two", "three"))
    old = Box(where / "old", KEY=str(one), NEXT_KEY=str(two))
    new = Box(where / "new", KEY=str(two), NEXT_KEY=str(three))
    assert verify(old.make(), old.keys).endswith("signed by current")
    bundle = new.make()
    assert verify(bundle, old.keys).endswith("signed by next")
    assert verify(bundle, new.keys).endswith("signed by current")
    refuses(old.make(), new.keys, "wrong signature: none of this system's 2 keys", ("verify", "info"))
    # A public half is enough for the next one; a bundle that its own root would not take is not left lying there.
    run("openssl", "pkey", "-in", three, "-pubout", "-out", where / "three.pub")
    half = Box(where / "half", KEY=str(two), NEXT_KEY=str(where / "three.pub"))
    assert verify(half.make(), half.keys).endswith("signed by current")
    half.env["KEY"] = str(one)
    (half.out / "hearth-0.2.0.hearth").unlink()
    assert "wrong signature" in half.make(good=False)
    assert not list(half.out.glob("*.hearth*"))


@case
def development_keys_are_made_once(where):
    box = Box(where)
    first = [(box.keys / n).read_text() for n in ("current.pem", "next.pem")]
    assert first[0] != first[1] and all(t.startswith("Hearth development key") for t in first)
    run("board/keys.sh", "public", box.keys, env=box.env)
    assert [(box.keys / n).read_text() for n in ("current.pem", "next.pem")] == first
    assert all(p.stat().st_mode & 0o077 == 0 for p in (where / "cache/hearth/keys").iterdir())


@case
def forged(where):
    box = Box(where)
    parts = members(box.make())
    text, sig = parts["manifest.yaml"], parts["manifest.sig"]
    both = ("verify", "info")

    def forge(want, **change):
        p = {**parts, **{n.replace("_", "."): v for n, v in change.items()}}
        refuses(pack(where / "forged", [(n, p[n], {}) for n in NAMES]), box.keys, want, both)
    forge("wrong signature", manifest_yaml=text.replace(b"0.2.0", b"0.2.1"))
    forge("wrong signature", manifest_yaml=text + b"\n")
    forge("wrong signature", manifest_yaml=b"")
    forge("wrong signature", manifest_sig=b"")
    forge("wrong signature", manifest_sig=sig + b"\0")
    forge("wrong signature", manifest_sig=sig[:-1])
    forge("wrong signature", manifest_sig=bytes(len(sig)))
    forge("wrong signature", manifest_sig=bytes.fromhex("3006020100020100"))
    forge("wrong signature", manifest_sig=sign(key(where / "stranger"), text, where))
    for at in range(len(sig)):
        forge("wrong signature", manifest_sig=sig[:at] + bytes([sig[at] ^ 1]) + sig[at + 1:])
    forge("manifest.sig has 257 bytes; 256 are allowed", manifest_sig=sig + bytes(257 - len(sig)))
    forge("manifest.yaml has 16385 bytes; 16384 are allowed", manifest_yaml=text + b"#" * (16385 - len(text)))
    # What is signed but wrong is still refused, by line.
    for old, new, want in ((b"blocks: 300", b"blocks: 299", "manifest.yaml:18: root.erofs has 1228800 bytes, but 299"),
                           (b"format: 2", b"format: 1", "manifest.yaml:1: format '1' is not 2"),
                           (b"build:", b"bulid:", "manifest.yaml:4: unknown key 'bulid'; did you mean 'build'?")):
        bad = text.replace(old, new)
        assert bad != text
        forge(want, manifest_yaml=bad, manifest_sig=sign(box.private(), bad, where))


@case
def tree_of_another_image(where):
    """What was signed although it does not fit together: the sums are right, the tree is not."""
    box = Box(where)
    parts = members(box.make())

    def signed(want, name=None, at=0, **text):
        p = dict(parts)
        if name:
            p[name] = p[name][:at] + bytes([p[name][at] ^ 1]) + p[name][at + 1:]
        manifest = p["manifest.yaml"].decode()
        for old, new in text.values():
            assert old in manifest
            manifest = manifest.replace(old, new)
        for n in NAMES[2:]:
            manifest = manifest.replace(hashlib.sha256(parts[n]).hexdigest(), hashlib.sha256(p[n]).hexdigest())
        p["manifest.yaml"] = manifest.encode()
        p["manifest.sig"] = sign(box.private(), p["manifest.yaml"], where)
        refuses(pack(where / "signed", [(n, p[n], {}) for n in NAMES]), box.keys, want)
    root_hash = re.search(rb"hash: (\w+)", parts["manifest.yaml"]).group(1).decode()
    signed("root.verity: hash tree: block 0 of level 1 is not what the root hash says", "root.verity", 4096)
    signed("root.verity: hash tree: block 2 of level 0 is not what the root hash says", "root.verity", 4 * 4096)
    signed("root.verity: hash tree: block 0 of level 1", hash=(root_hash, root_hash[::-1]))
    signed("root.verity: verity superblock with another UUID", uuid=("01234567-", "01234568-"))
    signed("root.verity: verity superblock with another salt", salt=(SALT, SALT[::-1]))
    signed("root.verity: no verity superblock", "root.verity", 0)
    for block in (0, 127, 128, 299):
        signed(f"root.erofs: block {block} of the image is not", "root.erofs", block * 4096 + 4095)


@case
def list_of_another_kernel(where):
    """uki.hashes has the right sum and the right size, and is not uki.efi's."""
    box = Box(where)
    (box.out / "uki.efi").write_bytes(b"MZ" + os.urandom(40000))
    parts = members(box.make())
    assert len(parts["uki.hashes"]) == 96
    for at in (0, 70):
        p = dict(parts)
        p["uki.hashes"] = parts["uki.hashes"][:at] + b"wrong" + parts["uki.hashes"][at + 5:]
        p["manifest.yaml"] = parts["manifest.yaml"].replace(*(hashlib.sha256(x["uki.hashes"]).hexdigest().encode()
                                                              for x in (parts, p)))
        p["manifest.sig"] = sign(box.private(), p["manifest.yaml"], where)
        refuses(pack(where / "signed", [(n, p[n], {}) for n in NAMES]), box.keys,
                f"uki.efi: the bytes from {at // 32 * 16384} on are not what uki.hashes says")


@case
def pieces_stay(where):
    """What is the same in two kernels is in the same pieces, whatever stands before it."""
    stub = TOP / "build/pkg/systemd-boot/efi/linuxx64.efi.stub"
    for name, data in (("osrel", b"x" * 50), ("initrd", os.urandom(100000)), ("linux", os.urandom(200000))):
        (where / name).write_bytes(data)

    def kernel(*change):
        for name, data in change:
            (where / name).write_bytes(data)
        sections = (f".{name}={where / name}" for name in ("osrel", "initrd", "linux"))
        run("python3", "board/uki.py", stub, where / "uki", *sections)
        data = (where / "uki").read_bytes()
        assert len(data) % 16384 == 0
        return [data[at:at + 16384] for at in range(0, len(data), 16384)]
    first = kernel()
    second = kernel(("initrd", os.urandom(150000)))
    assert kernel(("initrd", (where / "initrd").read_bytes())) == second
    assert len(set(second) - set(first)) <= 1 + 150000 // 16384 + 1, "more than the head and the initramfs"


@case
def damaged(where):
    box = Box(where)
    bundle = box.make()
    whole = bundle.read_bytes()
    parts = members(bundle)
    bad = where / "damaged"

    def damage(data, want, how=("verify",)):
        bad.write_bytes(data)
        refuses(bad, box.keys, want, how)
    both = ("verify", "info")
    for cut in (0, 100, 512, 700, 1536, 2000):
        damage(whole[:cut], "the bundle is cut: it ends at byte " + str(cut), both)
    for cut in (3000, len(whole) // 2, len(whole) - 1024, len(whole) - 1):
        damage(whole[:cut], f"the bundle is cut: it ends at byte {cut}, ")
        damage(whole[:cut], f"the bundle is cut: the file has {cut} bytes of {len(whole)}", ("info",))
    damage(whole + b"\0", f"something stands behind the end of the bundle, from byte {len(whole)} on", both)
    damage(whole + bytes(512), "something stands behind the end of the bundle", both)
    damage(whole + whole, "something stands behind the end of the bundle", both)
    damage(b"\x1f\x8b" + bytes(2000), "not a bundle", both)
    for name, want in (("root.verity", "hash mismatch: the bytes of root.verity"),
                       ("uki.hashes", "hash mismatch: the bytes of uki.hashes"),
                       ("uki.efi", "uki.efi: the bytes from 0 on are not what uki.hashes says"),
                       ("root.erofs", "root.erofs: block 150 of the image is not what its hash tree says")):
        at = whole.index(parts[name]) + len(parts[name]) // 2
        damage(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:], want)
    at = whole.rindex(b"uki.efi")
    damage(whole[:at + 1] + b"K" + whole[at + 2:], "a damaged header at byte " + str(at))


@case
def other_archives(where):
    box = Box(where)
    parts = members(box.make())
    good = [(n, parts[n], {}) for n in NAMES]

    def other(want, rows, **how):
        refuses(pack(where / "other", rows), box.keys, want, **how)
    same = len(parts["uki.efi"])
    other("uki.hashes at byte 2560 is out of order; root.verity belongs here", good[:2] + [good[3], good[2], *good[4:]],
          how=("verify",))
    other("root.verity stands twice", good[:3] + [good[2]] + good[4:])
    other("a member 'uki.bin'", good[:4] + [("uki.bin", bytes(same), {})] + good[5:])
    other("is in a folder", good[:4] + [("../uki.efi", bytes(same), {})] + good[5:])
    other("is in a folder", good[:4] + [("/boot/uki.efi", bytes(same), {})] + good[5:])
    other("uki.efi has 1 bytes; the manifest says", good[:4] + [("uki.efi", b"x", {})] + good[5:])
    other("has another mode", good[:4] + [("uki.efi", parts["uki.efi"], {"mode": 0o755})] + good[5:])
    other("has another user", good[:4] + [("uki.efi", parts["uki.efi"], {"uid": 1000})] + good[5:])
    other("has another user name", good[:4] + [("uki.efi", parts["uki.efi"], {"uname": "root"})] + good[5:])
    other("has another time", good[:4] + [("uki.efi", parts["uki.efi"], {"mtime": 1})] + good[5:])
    link = {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}
    other("is a link", [("manifest.yaml", b"", link)] + good[1:])
    for form, want in ((tarfile.PAX_FORMAT, "is a pax header"), (tarfile.GNU_FORMAT, "is not ustar")):
        with tarfile.open(where / "form", "w", format=form, pax_headers={"comment": "x"}) as t:
            info = tarfile.TarInfo("manifest.yaml")
            info.size, info.mtime = len(parts["manifest.yaml"]), 1795564800
            t.addfile(info, io.BytesIO(parts["manifest.yaml"]))
        refuses(where / "form", box.keys, want)


@case
def broken_keys(where):
    box = Box(where)
    bundle = box.make()
    keys = where / "keys"

    def with_key(want, make):
        shutil.rmtree(keys, ignore_errors=True)
        shutil.copytree(box.keys, keys)
        make(keys / "next.pem")
        refuses(bundle, keys, want, ("verify", "info"))

    def public(private):
        return lambda to: run("openssl", "pkey", "-in", private, "-pubout", "-out", to)
    with_key("next.pem: a key of another curve; a P-256 key is wanted", public(key(where / "p384", "secp384r1")))
    with_key("next.pem: a key of another curve", public(key(where / "k1", "secp256k1")))
    run("openssl", "genrsa", "-out", where / "rsa", "2048")
    with_key("next.pem: no key of an elliptic curve", public(where / "rsa"))
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", where / "ed")
    with_key("next.pem: no public key in PEM", public(where / "ed"))
    with_key("next.pem: no public key in PEM", lambda to: to.write_text("nonsense\n"))
    with_key("next.pem: no public key in PEM", lambda to: to.write_bytes(b""))
    with_key("next.pem: no public key in PEM", lambda to: shutil.copy(box.private(), to))
    with_key("next.pem", lambda to: to.write_text("#" * 3000))
    with_key("next.pem", lambda to: (to.unlink(), to.mkdir()))
    with_key("more than 4 keys", lambda to: [shutil.copy(to, keys / f"{n}.pem") for n in "abcd"])
    with_key("no keys (NAME.pem)", lambda to: [p.unlink() for p in list(keys.iterdir())])
    with_key("keys", lambda to: shutil.rmtree(keys))
    # Files of other names are not looked at.
    shutil.copytree(box.keys, keys)
    (keys / "README").write_text("x")
    verify(bundle, keys)
    for name in "ab":
        shutil.copy(keys / "next.pem", keys / f"{name}.pem")
    assert verify(bundle, keys).endswith("signed by current")
    shutil.copy(keys / "next.pem", keys / "c.pem")
    refuses(bundle, keys, "more than 4 keys")


@case
def words(where):
    box = Box(where)
    bundle = box.make()
    for args in ([], ["info"], ["look", bundle], ["info", bundle, bundle], ["info", "--keys", bundle], ["info", "-x"],
                 ["verify", "--kees", box.keys, bundle]):
        p = run(HEARTH, "bundle", *args, good=None)
        assert p.returncode == 2 and p.stderr.startswith(b"usage: hearth bundle"), (args, p)
    for path in (where, where / "nothing", "/dev/null"):
        p = run(HEARTH, "bundle", "verify", "--keys", box.keys, path, good=None)
        assert p.returncode == 1 and str(path).encode() in p.stderr, p


@case
def release_check(where):
    def check(box, good, *want):
        p = run("board/release-check.sh", box.out, env=box.env, good=good)
        said = (p.stdout + p.stderr).decode()
        assert all(w in said for w in want), said
    dev = Box(where / "dev")
    check(dev, False, "current.pem: a development key", "next.pem: a development key")
    dev.env["XDG_CACHE_HOME"] = str(where / "another machine's")
    check(dev, False, "current.pem: a development key", "next.pem: a development key")
    one, two = key(where / "one"), key(where / "two")
    mixed = Box(where / "mixed", KEY=str(one))
    check(mixed, False, "next.pem: a development key")
    # Its mark taken off, a development key of this machine is still known.
    for pem in mixed.keys.iterdir():
        pem.write_text(pem.read_text().partition("\n")[2] if "Hearth" in pem.read_text() else pem.read_text())
    check(mixed, False, "next.pem: a development key")
    box = Box(where / "box", KEY=str(one), NEXT_KEY=str(two))
    check(box, True)
    bundle = box.make()
    check(box, True, "signed by current")
    dev.env["XDG_CACHE_HOME"] = str(where / "dev/cache")
    shutil.copy(dev.make(), box.out / "dev.hearth")
    check(box, False, "dev.hearth: wrong signature")
    (box.out / "dev.hearth").unlink()
    box.image(301)
    check(box, False, f"{bundle}: has another root than")
    box.make()
    check(box, True)
    # A box takes every key of the folder, whatever its name.
    shutil.copy(dev.keys / "current.pem", box.keys / "third.pem")
    check(box, False, "third.pem: a development key")
    (box.keys / "third.pem").unlink()
    # An image of an earlier build, which has other keys than the root has now.
    (box.out / "hearth.img").write_bytes(bytes(5000) + (dev.keys / "next.pem").read_bytes() + bytes(5000))
    check(box, False, "hearth.img: has a development key in it")
    (box.out / "hearth.img").unlink()
    (box.keys / "next.pem").unlink()
    check(box, False, "next.pem: is not there")


@case
def keys_of_another_curve_are_not_taken(where):
    other = key(where / "p384", "secp384r1")
    p = run("board/keys.sh", "public", where / "to", env={"KEY": str(other), "NEXT_KEY": str(other)}, good=False)
    assert b"not a key of the curve P-256" in p.stderr
    (where / "text").write_text("x")
    p = run("build/sign", other, where / "text", good=False)
    assert b"not a key of the curve P-256" in p.stderr and p.stdout == b""


def main():
    wanted = sys.argv[1:]
    results = TOP / "build/results"
    results.mkdir(parents=True, exist_ok=True)
    rows = []
    for fn in CASES:
        if wanted and fn.__name__ not in wanted:
            continue
        start = time.monotonic()
        detail = ""
        with tempfile.TemporaryDirectory() as d:
            try:
                fn(pathlib.Path(d))
            except Exception as e:  # whatever it was, the next case is tried
                detail = (str(e).splitlines() or [type(e).__name__])[0][:200]
                print(f"FAILED {fn.__name__}")
                traceback.print_exc(file=sys.stdout)
        rows.append(("fail" if detail else "pass", fn.__name__, time.monotonic() - start, detail))
    with open(results / "bundle-test.tsv", "w") as out:
        for verdict, name, seconds, detail in rows:
            out.write(f"{verdict}\tbundle:{name}\t{seconds:.0f}\t{detail}\n")
    bad = sum(r[0] == "fail" for r in rows)
    print(f"bundle: {len(rows) - bad} passed, {bad} failed")
    return 1 if bad else 0


sys.exit(main())
