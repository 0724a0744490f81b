"""Reads FAT32 as a boot loader does: by the first FAT, folders and chains. It also says what is damaged."""
import os
import struct

END = 0x0FFFFFF8


class Damaged(Exception):
    """A chain that ends nowhere, a cluster in two files."""


class Fat:
    def __init__(self, path, first, size):
        self.fd, self.first, self.size = os.open(path, os.O_RDONLY), first, size
        boot = os.pread(self.fd, 512, first)
        self.sector, per, reserved, fats = struct.unpack_from("<HBHB", boot, 11)
        self.fat_sectors, self.root = struct.unpack_from("<I4xI", boot, 36)[0], struct.unpack_from("<I", boot, 44)[0]
        if boot[510:] != b"\x55\xaa" or self.sector != 512 or per == 0:
            raise Damaged("the boot sector is none")
        self.cluster = per * self.sector
        self.fat_at = reserved * self.sector
        self.data_at = self.fat_at + fats * self.fat_sectors * self.sector
        raw = os.pread(self.fd, self.fat_sectors * self.sector, first + self.fat_at)
        self.fat = struct.unpack(f"<{len(raw) // 4}I", raw)

    def close(self):
        os.close(self.fd)

    def chain(self, cluster):
        seen = []
        while cluster and cluster & 0x0FFFFFFF < END:
            cluster &= 0x0FFFFFFF
            if cluster < 2 or cluster >= len(self.fat) or self.fat[cluster] == 0 or len(seen) > len(self.fat):
                raise Damaged(f"a chain leads to the free or impossible cluster {cluster}")
            seen.append(cluster)
            cluster = self.fat[cluster]
        return seen

    def place(self, cluster):
        """First byte of a cluster, from the partition's start."""
        return self.data_at + (cluster - 2) * self.cluster

    def read(self, first, size=None):
        """The bytes of a file or folder that begins with this cluster."""
        data = b"".join(os.pread(self.fd, self.cluster, self.first + self.place(c)) for c in self.chain(first))
        if size is not None and len(data) < size:
            raise Damaged(f"{len(data)} bytes on the disk of a file of {size}")
        return data if size is None else data[:size]

    def folder(self, first):
        """[(name, is folder, first cluster, size)]"""
        found, long = [], {}
        data = self.read(first)
        for at in range(0, len(data), 32):
            e = data[at:at + 32]
            if e[0] == 0:
                break
            if e[0] == 0xE5:
                long = {}
            elif e[11] & 0x3F == 0x0F:
                long[e[0] & 0x1F] = (e[1:11] + e[14:26] + e[28:32], e[13])
            else:
                if not e[11] & 8:
                    high, low, size = struct.unpack("<H4xHI", e[20:32])
                    found.append((self._name(e, long), bool(e[11] & 16), high << 16 | low, size))
                long = {}
        return found

    @staticmethod
    def _name(e, long):
        total = 0
        for byte in e[:11]:
            total = ((total & 1) << 7 | total >> 1) + byte & 0xFF
        if long and sorted(long) == list(range(1, len(long) + 1)) and all(s == total for _, s in long.values()):
            text = b"".join(long[i][0] for i in sorted(long)).decode("utf-16-le", "replace")
            return text.split("\0")[0]
        name, kind = e[:8].decode("latin-1").rstrip(), e[8:11].decode("latin-1").rstrip()
        name, kind = name.lower() if e[12] & 8 else name, kind.lower() if e[12] & 16 else kind
        return f"{name}.{kind}" if kind else name

    def find(self, path):
        """(is folder, first cluster, size), or None."""
        at = (True, self.root, 0)
        for part in path.strip("/").split("/"):
            if not at or not at[0]:
                return None
            at = next((f[1:] for f in self.folder(at[1]) if f[0].lower() == part.lower()), None)
        return at

    def check(self):
        """Raises Damaged for what a power cut leaves of a file that was being written or removed."""
        owner = {}
        for path, is_folder, cluster, size in self.walk():
            chain = self.chain(cluster)
            if not is_folder and len(chain) * self.cluster < size:
                raise Damaged(f"{path} is shorter than its folder says")
            # One file under two names is what a cut in a rename may leave.
            for c in chain:
                if owner.setdefault(c, cluster) != cluster:
                    raise Damaged(f"{path} shares cluster {c} with another file")

    def walk(self, first=None, path=""):
        """(path, is folder, first cluster, size) of everything."""
        for name, is_folder, cluster, size in self.folder(self.root if first is None else first):
            if name in (".", ".."):
                continue
            yield f"{path}/{name}", is_folder, cluster, size
            if is_folder:
                yield from self.walk(cluster, f"{path}/{name}")
