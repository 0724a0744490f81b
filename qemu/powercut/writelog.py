"""Reads what QEMU's blklogwrites filter wrote: all writes, flushes and discards of a disk, in order.

The format is that of the kernel's dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst): a sector with
the head (magic, version, number of entries, sector size), then per entry a sector (sector, sectors, flags, length) and
behind it the data of a write. QEMU notes an entry when the disk has done it, before the machine hears of it."""
import bisect
import os
import struct
import typing

MAGIC, VERSION = 0x6a736677736872, 1
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


class Entry(typing.NamedTuple):
    at: int      # first byte on the disk
    size: int    # bytes; 0 for a flush
    flags: int
    data: int    # where its data lie in the log
    end: int     # of the entry in the log

    def is_write(self):
        return self.size > 0


class Log:
    """entries: all of them. `until` turns a length of the log, noted while it was written, into a number of entries."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "rb")
        magic, version, count, sector = struct.unpack("<QQQI", self.file.read(28))
        if (magic, version) != (MAGIC, VERSION) or sector < 512:
            raise ValueError(f"{path}: not a log of writes")
        # Not by the count: QEMU brings it up to date only with a flush.
        self.entries, at, end = [], sector, os.path.getsize(path)
        while at < end:
            self.file.seek(at)
            first, sectors, flags, _ = struct.unpack("<QQQQ", self.file.read(32))
            if flags & ~(FLUSH | FUA | DISCARD | MARK) or (sectors == 0 and not flags):
                raise ValueError(f"{path}: damaged at byte {at}")
            data = at + sector
            at = data if flags & DISCARD else data + sectors * sector
            if at > end:
                raise ValueError(f"{path}: cut off at byte {end}")
            self.entries.append(Entry(first * sector, sectors * sector, flags, data, at))
        if len(self.entries) < count:
            raise ValueError(f"{path}: cut off: {len(self.entries)} of {count} entries")
        self.ends = [e.end for e in self.entries]

    def close(self):
        self.file.close()

    def until(self, length):
        """How many entries were complete when the log had that length."""
        return bisect.bisect_right(self.ends, length)

    def bytes(self, entry):
        if entry.flags & DISCARD:
            return bytes(entry.size)
        self.file.seek(entry.data)
        return self.file.read(entry.size)
