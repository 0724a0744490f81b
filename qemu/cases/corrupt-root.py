"""One flipped bit in the root is refused and the console says so: in the file system's head, in the program itself,
and anywhere else."""
import disk
import vm
from run import check


def root_bytes():
    env = dict(line.split("=", 1) for line in (vm.BUILD / "root.env").read_text().splitlines())
    return int(env["ROOT_BYTES"])


def last_file(path, first):
    """A place near the end of the root's data that holds something."""
    at = first + root_bytes() - 4096
    while not any(disk.read(path, at, 4096)):
        at -= 4096
    return at + 2048


def in_program(_, first):
    """In the middle of the program that is PID 1."""
    return first + disk.middle_of(vm.BUILD / "root.img", "/usr/bin/hearth")


def refused(case, name, place):
    box = case.vm(name, direct=True)
    first = disk.gpt(box.disk, fitted=False)[0]["system-a"][0]
    disk.flip_bit(box.disk, place(box.disk, first))
    box.start()
    return box


def run(case):
    head = refused(case, "head", lambda path, first: first + 1024 + 40)
    head.expect(r"root is refused.*damaged", 120)
    head.expect(r"restart", 30)
    head.kill()

    # The program runs from memory, so it is there to say that its place on the disk is damaged, like any other.
    for name, place in (("program", in_program), ("elsewhere", last_file)):
        box = refused(case, name, place)
        box.expect(r"root[^\n]* block \d+ [^\n]*damaged", 400)
        box.prompt()
        status = box.api("status")
        check(status["system"] == "degraded", f"{name}: the system is {status['system']}")
        check(any("damaged" in p for p in status["problems"]), f"{name}: problems: {status['problems']}")
        box.kill()
