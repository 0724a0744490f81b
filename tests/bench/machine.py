"""What a benchmark says about the machine that it ran on, and how busy that machine was with other things."""
import os


def _first(path, key):
    with open(path) as f:
        return next((line.split(":", 1)[1].strip() for line in f if line.startswith(key)), "unknown")


def describe():
    """One line: processor, cores, memory, kernel."""
    mib = int(_first("/proc/meminfo", "MemTotal").split()[0]) // 1024
    return f"{_first('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, {mib} MiB, Linux {os.uname().release}"


def load():
    """The load averages of 1, 5 and 15 minutes."""
    return "%.1f %.1f %.1f" % os.getloadavg()


class Busy:
    """The share of all cores' time that was used by anything since the start of this."""

    def __init__(self):
        self.began = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat") as f:
            ticks = [int(word) for word in f.readline().split()[1:9]]
        return sum(ticks), sum(ticks) - ticks[3] - ticks[4], ticks[7]

    def cores(self):
        """(cores that were busy, cores that the hypervisor took away), on average."""
        total, used, stolen = (now - then for now, then in zip(self._read(), self.began))
        return used / max(total, 1) * os.cpu_count(), stolen / max(total, 1) * os.cpu_count()
