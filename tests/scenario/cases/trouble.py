"""PID 1 itself in trouble: no descriptors, no processes, no memory, and a fault of its own."""
import ctypes
import os
import resource
import signal

from box import SLEEP, check, libc, must, service, until

PTRACE_CONT, PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_ATTACH, PTRACE_DETACH = 7, 12, 13, 16, 17
ORIG_RAX, RIP = 15, 16  # in struct user_regs_struct


def jump_to_zero(pid):
    """Lets a process go on at address 0."""
    regs = (ctypes.c_ulonglong * 27)()
    ptrace = lambda what, data=None: must(libc.ptrace(what, pid, None, data), 'ptrace')
    ptrace(PTRACE_ATTACH)
    os.waitpid(pid, 0x40000000)  # __WALL
    ptrace(PTRACE_GETREGS, regs)
    regs[RIP] = 0
    regs[ORIG_RAX] = 2**64 - 1  # no system call to go on with
    ptrace(PTRACE_SETREGS, regs)
    ptrace(PTRACE_DETACH)


def case_fault_leaves_its_reason(make):
    box = make({'a': service('a', SLEEP)})
    box.wait_ready('a')
    jump_to_zero(box.pid)
    check(box.wait() == 128 + signal.SIGSEGV, 'end is %s' % box.status)
    for path in ('/dev/kmsg', '/dev/console'):
        text = box.read(path)
        check('PID 1 fault: SIGSEGV at 0x0000000000000000 rip 0x0000000000000000' in text, path + ' tells')
    check('<0>hearth: PID 1 fault' in box.read('/dev/kmsg'), 'at the highest level')


def case_fault_signals_that_are_sent_count_too(make):
    for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT, signal.SIGSYS):
        box = make({'a': service('a', SLEEP)})
        box.wait_ready('a')
        box.signal(number)
        check(box.wait() != 0, 'end is %s' % box.status)
        want = '<0>hearth: PID 1 fault: %s sent by process' % signal.Signals(number).name
        check(want in box.read('/dev/kmsg'), want)


def limited(make, what, soft):
    """Services that end at once and are started again, first without, then under a tight limit, then without."""
    box = make({'a': service('a', 'echo run >>/trace; exit 0', type='daemon')})
    box.wait_control()
    until(lambda: box.trace(), 'a start')
    free = resource.prlimit(box.pid, what)
    resource.prlimit(box.pid, what, (soft(box), free[1]))
    return box, lambda: resource.prlimit(box.pid, what, free)


def survives(box, lift, sign):
    until(lambda: sign in box.read('/dev/kmsg'), 'the failure is told: ' + sign, 20)
    box.check_alive()
    lift()
    runs = len(box.trace())
    until(lambda: len(box.trace()) > runs, 'a start after the limit is gone', 40)
    box.ask('status')


def case_no_descriptors(make):
    box, lift = limited(make, resource.RLIMIT_NOFILE, lambda b: 8)
    survives(box, lift, 'No file descriptors available')
    box.ctl('services')


def case_no_processes(make):
    box, lift = limited(make, resource.RLIMIT_NPROC, lambda b: 1)
    survives(box, lift, 'Resource temporarily unavailable')


def case_no_memory(make):
    def all_of_it(box):
        with open('/proc/%d/statm' % box.pid) as f:
            return int(f.read().split()[0]) * resource.getpagesize()
    box, lift = limited(make, resource.RLIMIT_AS, all_of_it)
    until(lambda: box.service('a')['restarts'] >= 2, 'starts that fail', 20)
    for _ in range(20):
        box.ask('status')
    runs = len(box.trace())
    lift()
    until(lambda: len(box.trace()) > runs, 'a start after the limit is gone', 40)
