"""Looks at a powered-off machine's disk and changes it, from outside: partitions, file systems, single bits."""
import hashlib
import re
import struct
import subprocess
import tempfile
import uuid
import zlib

SECTOR = 512


def gpt(path, backup=False, fitted=True):
    """{name: (first byte, bytes, attributes)} and the disk's GUID; both CRCs are checked.
    fitted: the table must be of this size of disk, as it is after the first boot."""
    with open(path, "rb") as f:
        f.seek(0, 2)
        total = f.tell() // SECTOR
        lba = total - 1 if backup else 1
        f.seek(lba * SECTOR)
        head = f.read(92)
        (sig, _, size, crc, _, mine, other, _, last, disk, table_lba, count, entry,
         table_crc) = struct.unpack("<8sIIIIQQQQ16sQIII", head)
        assert sig == b"EFI PART", f"no GPT header in sector {lba}"
        assert crc == zlib.crc32(head[:16] + bytes(4) + head[20:size]), "GPT header's checksum is wrong"
        if fitted:
            assert (mine, other) == (lba, 1 if backup else total - 1), "GPT header's own place or the other's is wrong"
            assert last == total - 34, "the table does not reach the end of the disk"
        f.seek(table_lba * SECTOR)
        table = f.read(count * entry)
        assert table_crc == zlib.crc32(table), "GPT table's checksum is wrong"
    parts = {}
    for i in range(0, len(table), entry):
        kind, _, first, end, attributes, name = struct.unpack_from("<16s16sQQQ72s", table, i)
        if any(kind):
            name = name.decode("utf-16-le").rstrip("\0")
            parts[name] = (first * SECTOR, (end - first + 1) * SECTOR, attributes)
    return parts, uuid.UUID(bytes_le=disk)


def read(path, at, size):
    with open(path, "rb") as f:
        f.seek(at)
        return f.read(size)


def middle_of(image, path):
    """Where in the image of a root the data of a file in it lies, some way into its middle."""
    text = subprocess.run(["dump.erofs", "-e", f"--path={path}", str(image)], capture_output=True, text=True,
                          check=True).stdout
    blocks = re.findall(r"^\s*\d+:.*:\s*(\d+)\.\.", text, re.M)
    return int(blocks[len(blocks) // 2]) + 100


def write_slot(path, slot, image, entry, uki):
    """Fills a slot as an update leaves it: the root's image, and the UKI under that name."""
    parts = gpt(path)[0]
    with open(path, "r+b") as f, open(image, "rb") as source:
        f.seek(parts[f"system-{slot}"][0])
        while data := source.read(1 << 20):
            f.write(data)
    put_esp(path, uki, f"::/EFI/Linux/{entry}")


def last_try(path):
    """Leaves the slot on trial one try of its three."""
    entry = next(name for name in boot_entries(path) if name.endswith("+3.efi"))
    subprocess.run(["mren", "-i", esp(path), f"::/EFI/Linux/{entry}", entry.replace("+3.efi", "+1-2.efi")], check=True)


def esp(path, fitted=True):
    """The boot partition, for mtools."""
    return f"{path}@@{gpt(path, fitted=fitted)[0]['esp'][0]}"


def put_esp(path, file, target):
    subprocess.run(["mcopy", "-o", "-i", esp(path), str(file), target], check=True)


def get_esp(path, target):
    return subprocess.run(["mtype", "-i", esp(path), target], capture_output=True, check=True).stdout


def del_esp(path, target):
    subprocess.run(["mdel", "-i", esp(path), target], check=True)


def flip_bit(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 0x10]))


def boot_entries(path, fitted=True):
    """Names of the boot entries on the ESP; the try counter is part of the name."""
    run = subprocess.run(["mdir", "-b", "-i", esp(path, fitted), "::/EFI/Linux"], capture_output=True, text=True)
    return [line.rsplit("/", 1)[1] for line in run.stdout.split() if line]


def stick(path, files, mib=64):
    """A USB stick as bought: one partition with FAT. files: {name: bytes}."""
    start, sectors = 2048, (mib << 11) - 2048
    with open(path, "wb") as f:
        f.truncate(mib << 20)
        f.seek(446)
        f.write(struct.pack("<B3sB3sII", 0, bytes(3), 0x0c, bytes(3), start, sectors) + bytes(48) + b"\x55\xaa")
    inside = f"{path}@@{start * SECTOR}"
    subprocess.run(["mformat", "-i", inside, "-T", str(sectors), "-h", "64", "-s", "32", "-F", "::"], check=True)
    for name, data in files.items():
        subprocess.run(["mcopy", "-i", inside, "-", f"::{name}"], input=data, check=True)


def digest(path, name):
    """SHA-256 of a partition."""
    at, left, _ = gpt(path)[0][name]
    total = hashlib.sha256()
    with open(path, "rb") as f:
        f.seek(at)
        while left > 0:
            piece = f.read(min(left, 1 << 20))
            total.update(piece)
            left -= len(piece)
    return total.hexdigest()


def put(path, text, target):
    """Writes a file into the state partition (ext4), as somebody would who pulled the disk."""
    first = gpt(path)[0]["state"][0]
    folder = target.rsplit("/", 1)[0]
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(text)
        f.flush()
        commands = (f"mkdir {folder}\n" if folder else "") + f"write {f.name} {target}\n"
        run = subprocess.run(["debugfs", "-w", "-f", "/dev/stdin", f"{path}?offset={first}"], input=commands,
                             capture_output=True, text=True)
    if run.returncode or "Allocated inode" not in run.stdout:
        raise AssertionError(f"debugfs: {run.stdout}{run.stderr}")


def get(path, target):
    first = gpt(path)[0]["state"][0]
    run = subprocess.run(["debugfs", "-R", f"cat {target}", f"{path}?offset={first}"], capture_output=True, text=True)
    return run.stdout
