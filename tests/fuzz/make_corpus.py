#!/usr/bin/env python3
"""Makes the inputs of the fuzz targets that are not text: make_corpus.py FOLDER writes FOLDER/TARGET/CASE.
The same bytes every time. Text inputs are committed in tests/fuzz/corpus/."""
import hashlib
import pathlib
import struct
import sys
import zlib

SECTOR = 512
LINUX = bytes.fromhex("af3dc60f838472478e793d69d8477de4")


def yaml():
    yield "windows", b"\xef\xbb\xbfname: a\r\ncommand: b\r\n"
    yield "bad-lead", b"a: 1\nb: \xff\n"
    yield "cut-sequence", b"a: \xc3"
    yield "nul", b"a: 1\n\0\n"
    yield "utf16", "name: a\n".encode("utf-16")
    yield "cr", b"a: 1\rb: 2\n"
    yield "nel", b"a: 1\xc2\x85b: 2\n"
    yield "ls", b"a: 1\xe2\x80\xa8b: 2\n"
    yield "limit", b"#" * 65536
    yield "over-limit", b"#" * 65537
    yield "grows", b'a: "' + b"\\L" * 32000 + b'"'
    yield "flow-open", b"[" * 3000


def json():
    yield "not-utf8", b"a\xff\x80z"
    yield "overlong", b"\xc0\xaf\xe0\x80\x80\xf0\x80\x80\x80"
    yield "surrogates", b"\xed\xa0\x80\xed\xbf\xbf"
    yield "too-large", b"\xf4\x90\x80\x80\xf7\xbf\xbf\xbf"
    yield "cut", b"\xe2\x82"
    yield "all-bytes", bytes(range(1, 256))


def words(*args):
    return b"".join(a.encode() + b"\0" for a in args)


def command():
    yield "help", words("help")
    yield "status", words("status")
    yield "restart", words("restart", "web")
    yield "fact", words("fact", "network-up", "on", "eth0 10.0.2.15")
    yield "empty-detail", words("fact", "network-up", "off", "")
    yield "many", words("many", *"12345678")
    yield "too-many", words("many", *"123456789")
    yield "too-few", words("restart")
    yield "refused", words("many", "no")
    yield "typo", words("stauts")
    yield "unknown", words("xyzzy")
    yield "control", words("many", "a\x1b[2J")
    yield "not-terminated", b"status"
    yield "empty", b""
    yield "empty-name", b"\0status\0"
    yield "longest", words("many", "x" * 1018)
    yield "too-long", words("many", "x" * 1019)


def proto():
    yield "ok", struct.pack("<IB", 7, 1) + b'{"message":"done"}'
    yield "error", struct.pack("<IB", 8, 2) + b"unknown command"
    yield "event", struct.pack("<IB", 9, 3) + b'{"seq":1}'
    yield "no-text", struct.pack("<IB", 1, 2)
    yield "kind-0", struct.pack("<IB", 1, 0) + b"{}"
    yield "kind-4", struct.pack("<IB", 1, 4) + b"{}"
    yield "nul", struct.pack("<IB", 1, 1) + b"{\0}"
    yield "short", b"\1\0\0\0"
    yield "longest", struct.pack("<IB", 1, 1) + b"x" * (32768 - 5)
    yield "too-long", struct.pack("<IB", 1, 1) + b"x" * (32768 - 4)
    yield "words", words("fact", "a", "on")
    yield "no-words", b""
    yield "long-word", b"x" * 1020


def entry(first, last, name="data", kind=LINUX, attributes=0):
    return kind + bytes([first % 251]) * 16 + struct.pack("<QQQ", first, last, attributes) + \
        name.encode("utf-16-le").ljust(72, b"\0")


def gpt_file(entries=(), sectors=1 << 21, how=0, first=2048, last=None, **change):
    """sectors, how (1: backup, 2: leave sums), header, entries; see fuzz_gpt.c."""
    table = b"".join(entries)
    end = sectors - 1
    head = {"signature": b"EFI PART", "revision": 0x10000, "size": 92, "lba": end if how & 1 else 1,
            "other": 1 if how & 1 else end, "table": end - 32 if how & 1 else 2, "count": 128, "entry": 128,
            "crc": zlib.crc32(table.ljust(16384, b"\0")), "head_crc": None} | change
    fields = [head["signature"], head["revision"], head["size"], 0, 0, head["lba"], head["other"], first,
              sectors - 34 if last is None else last, bytes(range(16)), head["table"], head["count"], head["entry"],
              head["crc"]]
    pack = struct.Struct("<8sIIIIQQQQ16sQIII").pack
    fields[3] = zlib.crc32(pack(*fields)) if head["head_crc"] is None else head["head_crc"]
    return struct.pack("<QB", sectors, how) + pack(*fields) + table


def gpt():
    box = [entry(2048, 1050623, "esp"), entry(1050624, 1460223, "system-a")]
    yield "box", gpt_file(box)
    yield "backup", gpt_file(box, how=1)
    yield "own-sums", gpt_file(box, how=2)
    yield "empty", gpt_file()
    yield "full-disk", gpt_file([entry(2048, (1 << 21) - 35)])
    yield "128", gpt_file([entry(2048 + 8 * i, 2055 + 8 * i, f"p{i}") for i in range(128)])
    yield "script-name", gpt_file([entry(2048, 4095, "d\u00e4t\u20ac" + "x" * 32)])
    yield "on-backup", gpt_file([entry(2048, (1 << 21) - 1)])
    yield "first-34", gpt_file([entry(34, 2047)], first=34)
    yield "grown-disk", gpt_file(box, sectors=1 << 24, last=(1 << 21) - 34)
    yield "tiny-disk", gpt_file(sectors=67, first=34)
    yield "tiniest-disk", gpt_file(sectors=68, first=34)
    yield "overlap", gpt_file([entry(2048, 4096), entry(4096, 8191)])
    yield "outside", gpt_file([entry(2048, 1 << 21)])
    yield "backwards", gpt_file([entry(4096, 2048)])
    yield "in-table", gpt_file([entry(33, 2048)])
    yield "first-usable-0", gpt_file(first=0)
    yield "signature", gpt_file(signature=b"EFI PARD")
    yield "revision", gpt_file(revision=0x20000)
    yield "size", gpt_file(size=96)
    yield "count", gpt_file(count=256)
    yield "wrong-place", gpt_file(how=2, lba=7)
    yield "wrong-head-sum", gpt_file(how=2, head_crc=1)
    yield "wrong-table-sum", gpt_file(how=2, crc=1)


def super_block(at=1 << 20, signature=b"verity\0\0", version=1, kind=1, hash_name=b"sha256", data=4096, hashed=4096,
                blocks=256, salt=b"\x5a" * 32, salt_len=None):
    return struct.pack("<Q8sII16s32sIIQH6x256s", at, signature, version, kind, bytes(range(16)), hash_name, data,
                       hashed, blocks, len(salt) if salt_len is None else salt_len, salt).ljust(8 + SECTOR, b"\0")


def erofs(magic=0xE0F5E1E2, bits=12, blocks=256, size=4096):
    head = struct.pack("<II4xB", magic, 0, bits).ljust(36, b"\0") + struct.pack("<I", blocks)
    return struct.pack("<Q", 0) + (bytes(1024) + head.ljust(128, b"\0")).ljust(size, b"\0")[:size]


def verity():
    yield "super", super_block()
    yield "no-salt", super_block(salt=b"")
    yield "longest-salt", super_block(salt=b"\xa5" * 256)
    yield "salt-too-long", super_block(salt_len=257)
    yield "signature", super_block(signature=b"veritas\0")
    yield "version", super_block(version=2)
    yield "hash-type", super_block(kind=0)
    yield "sha512", super_block(hash_name=b"sha512")
    yield "sha256-and-more", super_block(hash_name=b"sha256\0x")
    yield "block-512", super_block(data=512)
    yield "no-blocks", super_block(blocks=0)
    yield "too-many-blocks", super_block(blocks=257)
    yield "huge", super_block(at=(1 << 64) - 1, blocks=(1 << 52) - 1)
    yield "cut", super_block()[:8 + 511]
    yield "erofs", erofs()
    yield "erofs-512", erofs(bits=9)
    yield "erofs-bits", erofs(bits=13)
    yield "erofs-no-blocks", erofs(blocks=0)
    yield "erofs-largest", erofs(blocks=0xFFFFFFFF)
    yield "erofs-magic", erofs(magic=1)
    yield "erofs-smallest", erofs(size=1024 + 128)
    yield "erofs-cut", erofs(size=1024 + 127)


def message(kind, body):
    return struct.pack("<IHHII", 16 + len(body), kind, 0, 1, 0) + body


def attribute(kind, data):
    return (struct.pack("<HH", 4 + len(data), kind) + data).ljust(4 + (len(data) + 3) // 4 * 4, b"\0")


def link(kind, index, name, flags=0x11003):
    return message(kind, struct.pack("<BxHiII", 0, 1, index, flags, 0) + attribute(3, name + b"\0") +
                   attribute(1, bytes([0x52, 0x54, 0, 1, 2, 3])))


def address(kind, index, data, prefix, flags=0x80):
    return message(kind, struct.pack("<BBBBI", 2 if len(data) == 4 else 10, prefix, 0, 0, index) +
                   attribute(1, data) + attribute(2, data) + attribute(8, struct.pack("<I", flags)))


def netlink():
    ip4, ip6 = bytes([10, 0, 2, 15]), bytes.fromhex("20010db8000000000000000000000001")
    end, failed = message(3, bytes(4)), message(2, struct.pack("<i", -1) + bytes(16))
    yield "links", link(16, 1, b"lo") + link(16, 2, b"dth0") + link(16, 3, b"dth1", 0) + end
    yield "addresses", link(16, 2, b"dth0") + address(20, 2, ip4, 24) + address(20, 2, ip6, 64) + end
    yield "tentative", link(16, 2, b"dth0") + address(20, 2, ip6, 64, 0x40)
    yield "changes", link(16, 2, b"dth0") + address(20, 2, ip4, 24) + address(21, 2, ip4, 24) + link(17, 2, b"dth0")
    yield "again", link(16, 2, b"dth0") + failed + link(16, 4, b"dth4") + end
    yield "many", b"".join(link(16, i, b"d%d" % i) for i in range(1, 20))
    yield "bad-names", link(16, 2, b"d/b") + link(16, 2, b"..") + link(16, 2, b"d" * 16)
    yield "no-name", message(16, struct.pack("<BxHiII", 0, 1, 2, 0, 0))
    yield "cut", link(16, 2, b"dth0")[:50]
    yield "short-head", message(16, b"\0" * 8)
    yield "length-0", struct.pack("<IHHII", 0, 16, 0, 1, 0)
    yield "attribute-0", message(16, struct.pack("<BxHiII", 0, 1, 2, 0, 0) + bytes(4))
    yield "odd-end", link(16, 2, b"dth0") + b"\0"


TAR_SIZES = {"manifest.yaml": 700, "manifest.sig": 71, "root.verity": 4096, "uki.efi": 513, "root.erofs": 1024}


def tar_member(name, size=0, kind="0", mode="0000644", user="0000000", magic="ustar\00000", prefix="", link=""):
    h = bytearray(512)
    for at, text in ((0, name), (100, mode), (108, user), (116, "0000000"), (124, f"{size:011o}"),
                     (136, "15301425000"), (148, " " * 8), (156, kind), (157, link), (257, magic), (345, prefix)):
        h[at:at + len(text)] = text.encode()
    h[148:156] = f"{sum(h):06o}\0 ".encode()
    return bytes(h) + b"x" * size + bytes(-size % 512)


def tar():
    def case(change=None, names=tuple(TAR_SIZES), how=7, end=bytes(1024)):
        """change: {name: fields} of members that are not as they should be."""
        rows = [tar_member(n, **{"size": TAR_SIZES.get(n, 10), **(change or {}).get(n, {})}) for n in names]
        return bytes([how]) + b"".join(rows) + end
    n = list(TAR_SIZES)
    yield "good", case()
    yield "good-one-by-one", case(how=0)
    yield "empty", b"\1"
    yield "zeros", b"\1" + bytes(1024)
    yield "cut", case()[:2000]
    yield "no-end", case(end=b"")
    yield "short-end", case(end=bytes(1023))
    yield "long-end", case(end=bytes(1025))
    yield "behind", case(end=bytes(1024) + case()[1:])
    yield "order", case(names=[n[0], n[1], n[3], n[2], n[4]])
    yield "twice", case(names=[n[0], n[1], n[1], n[2], n[3], n[4]])
    yield "missing", case(names=n[:4])
    yield "only-one", case(names=n[:1])
    yield "folder", case(names=["../" + n[0], *n[1:]])
    yield "prefix", case({n[1]: {"prefix": "etc"}})
    yield "link", case({n[2]: {"kind": "2", "link": "/dev/sda"}})
    yield "pax", b"\1" + tar_member("x", 100, kind="x") + case()[1:]
    yield "gnu", case({n[0]: {"magic": "ustar  \0"}})
    yield "mode", case({n[3]: {"mode": "0000755"}})
    yield "user", case({n[3]: {"user": "0001750"}})
    yield "text-too-long", case({n[0]: {"size": 16385}})
    yield "longest-text", case({n[0]: {"size": 16384}})
    yield "sig-too-long", case({n[1]: {"size": 257}})
    yield "nothing-in-it", case({name: {"size": 0} for name in n})
    yield "wrong-sum", b"\0" + case()[1:150] + b"7" + case()[151:]


def bootenv():
    attributes = struct.pack("<I", 6)
    yield "selected", attributes + "hearth-0002-b.efi\0".encode("utf-16-le")
    yield "no-end", attributes + "hearth-0002-b.efi".encode("utf-16-le")
    yield "odd", attributes + "hearth-0002-b.efi".encode("utf-16-le")[:-1]
    yield "not-ascii", attributes + "hearth-0002-\u0161.efi\0".encode("utf-16-le")
    yield "other", attributes + "auto-reboot\0".encode("utf-16-le")
    yield "long", attributes + ("x" * 200).encode("utf-16-le")
    yield "attributes", attributes


def tries():
    attributes = bytes([6, 0, 0, 0])
    yield "counted", attributes + "\\EFI\\Linux\\hearth-0007-b+2-1.efi\0".encode("utf-16-le")
    yield "list", attributes + "hearth-0001-a.efi\0hearth-0007-b.efi\0auto-reboot\0".encode("utf-16-le")
    yield "open", attributes + "\\hearth-0007-b+2-1.efi\\".encode("utf-16-le")
    yield "attributes", attributes


def hash_tree(blocks, salt=b"\x5a" * 32, flags=3, want=None, **change):
    """Number of blocks, flags, root.verity; see fuzz_tree.c."""
    def digest(block):
        return hashlib.sha256(salt + block).digest()
    hashes, levels = [digest(struct.pack("<Q", i)) for i in range(blocks)], b""
    while len(hashes) > 1:
        level = [b"".join(hashes[i:i + 128]).ljust(4096, b"\0") for i in range(0, len(hashes), 128)]
        hashes, levels = [digest(block) for block in level], b"".join(level) + levels
    head = super_block(blocks=blocks, salt=salt, **change)[8:].ljust(4096, b"\0")
    return struct.pack("<QB", blocks if want is None else want, flags) + head + levels


def tree():
    yield "1", hash_tree(1)
    yield "2", hash_tree(2)
    yield "128", hash_tree(128)
    yield "129", hash_tree(129)
    yield "2000", hash_tree(2000)
    yield "no-salt", hash_tree(300, salt=b"")
    yield "another-root", hash_tree(300, flags=2)
    yield "another-superblock", hash_tree(300, flags=1)
    yield "another-size", hash_tree(300, flags=1, want=301)
    yield "signature", hash_tree(5, signature=b"veritas\0")
    yield "cut", hash_tree(300)[:-1]
    yield "slot", hash_tree(2, flags=1, want=260094)
    yield "more-than-a-slot", hash_tree(2, flags=1, want=260095)
    yield "three-levels", hash_tree(2, flags=1, want=128 * 128 + 1)


def delta_case(old, new, gap=0, longest=0):
    return struct.pack("<BBHH", gap, longest, len(old), len(new)) + bytes(old) + bytes(new)


def delta():
    numbers = list(range(100))
    yield "same", delta_case(numbers, numbers)
    yield "moved", delta_case(numbers, [120] + numbers)
    yield "changed", delta_case(numbers, [i if i % 9 else 101 for i in numbers], gap=8)
    yield "nothing", delta_case(numbers, [110] * 300, longest=64)
    yield "resumed", delta_case(numbers, [128 + 110] * 50 + [110] * 20 + [128] * 7 + [111] * 20, gap=6, longest=9)
    yield "one-block", delta_case([1], [1])
    yield "two-levels", delta_case(numbers * 3, [i % 128 for i in range(1000)], gap=3)
    yield "wrong-length", delta_case(numbers, numbers)[:-1]


TARGETS = {f.__name__: f for f in (yaml, json, command, proto, gpt, verity, netlink, tar, bootenv, tree, delta, tries)}

if __name__ == "__main__":
    for target, cases in TARGETS.items():
        folder = pathlib.Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for case, data in cases():
            (folder / case).write_bytes(data)
