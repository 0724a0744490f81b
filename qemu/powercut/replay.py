"""A disk as it was at any point of a recording, with what a power cut does to a write cache.

A cut behind entry k leaves: every write before the last flush before k, and every write with FUA; of the writes since
then any, none or some, each whole or torn at its sectors. The subset is applied in the log's order. That is no
restriction: order matters only where writes overlap, and there a cache never puts the older one over the newer; an old
sector under a lost newer one is in the subsets.

Cuts are taken in rising order. The work disk holds what is certain; what a cut adds is undone after it was judged."""
import errno
import os
import shutil

from powercut import writelog

CHUNK = 1 << 20


def extents(fd, first=0, end=None):
    """(offset, length) of what is not a hole."""
    end = os.fstat(fd).st_size if end is None else end
    while first < end:
        try:
            first = os.lseek(fd, first, os.SEEK_DATA)
        except OSError as e:
            if e.errno == errno.ENXIO:
                return
            raise
        stop = min(os.lseek(fd, first, os.SEEK_HOLE), end)
        if first < stop:
            yield first, stop - first
        first = stop


def copy(source, target, first=0, size=None):
    """That part of the source as a sparse file."""
    with open(source, "rb") as a, open(target, "wb") as b:  # the same file: a machine may have it open
        size = os.fstat(a.fileno()).st_size - first if size is None else size
        b.truncate(size)
        for at, length in extents(a.fileno(), first, first + size):
            while length > 0:
                data = os.pread(a.fileno(), min(length, CHUNK), at)
                os.pwrite(b.fileno(), data, at - first)
                at, length = at + len(data), length - len(data)


def same(one, other):
    """Do two sparse files hold the same bytes?"""
    with open(one, "rb") as a, open(other, "rb") as b:
        fds = a.fileno(), b.fileno()
        if os.fstat(fds[0]).st_size != os.fstat(fds[1]).st_size:
            return False
        for fd in fds:
            for at, length in extents(fd):
                for part in range(at, at + length, CHUNK):
                    size = min(CHUNK, at + length - part)
                    if os.pread(fds[0], size, part) != os.pread(fds[1], size, part):
                        return False
    return True


class Disk:
    def __init__(self, base, work, log):
        self.log, self.path, self.certain = log, work, 0
        if base is not None:
            shutil.copyfile(base, work) if os.path.getsize(base) < CHUNK else copy(base, work)
        self.fd = os.open(work, os.O_RDWR)
        self.undo = []

    def close(self):
        os.close(self.fd)

    def _write(self, at, data, undo=False):
        """Nothing where the bytes are the same already, so that written zeroes do not fill the holes."""
        for part in range(0, len(data), CHUNK):
            new = data[part:part + CHUNK]
            old = os.pread(self.fd, len(new), at + part)
            if old == new:
                continue
            if undo:
                self.undo.append((at + part, old))
            os.pwrite(self.fd, new, at + part)

    def advance(self, count):
        """The first `count` entries are on the disk for certain."""
        assert count >= self.certain and not self.undo, "cuts are taken in rising order, each undone"
        for e in self.log.entries[self.certain:count]:
            if e.is_write():
                self._write(e.at, self.log.bytes(e))
        self.certain = count

    def cut(self, k, rng, honest=True):
        """The power goes behind entry k. Returns [(entry index, kept units, units)] of what was not certain.
        honest: False is the planted defect of the tests, a disk that forgets even what was flushed."""
        self.back()
        entries = self.log.entries
        certain = next((i + 1 for i in range(k - 1, -1, -1) if entries[i].flags & writelog.FLUSH), 0)
        first = max(certain, self.certain) if honest else self.certain
        if honest:
            self.advance(first)
        share = rng.choice((0.0, 1.0, rng.random(), rng.random()))
        fates = []
        for i in range(first, k):
            e = entries[i]
            if not e.is_write():
                continue
            kept = self._fate(e, share, i == k - 1, rng) if not (e.flags & writelog.FUA and honest) else [(0, e.size)]
            data = self.log.bytes(e)
            for at, size in kept:
                self._write(e.at + at, data[at:at + size], undo=True)
            fates.append((i, sum(size for _, size in kept), e.size))
        return fates

    @staticmethod
    def _fate(e, share, last, rng):
        """[(offset, size)] of a write that are on the disk. One that was under way is torn more often than others."""
        if rng.random() >= (0.5 if last else 0.08):
            return [(0, e.size)] if rng.random() < share else []
        unit = rng.choice((512, 4096))
        units = [(at, min(unit, e.size - at)) for at in range(0, e.size, unit)]
        how = rng.randrange(3)
        cut = rng.randint(0, len(units))
        return units[:cut] if how == 0 else units[cut:] if how == 1 else [u for u in units if rng.random() < 0.5]

    def back(self):
        """Takes back what the last cut added."""
        for at, old in reversed(self.undo):
            os.pwrite(self.fd, old, at)
        self.undo = []

    def version(self, first, size):
        """Equal for two cuts only if that part of the disk holds the same bytes in both."""
        end = first + size
        written = max((i for i, e in enumerate(self.log.entries[:self.certain]) if e.is_write() and e.at < end and
                       e.at + e.size > first), default=-1)
        return written, tuple((at, os.pread(self.fd, len(old), at)) for at, old in self.undo
                              if at < end and at + len(old) > first)
