"""Makes another process do one system call (ptrace(2), x86-64): what code does that somebody has brought into it."""
import ctypes
import os
import signal

GETREGS, SETREGS, ATTACH, DETACH = 12, 13, 16, 17
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
libc.ptrace.restype = ctypes.c_long


class Registers(ctypes.Structure):
    """struct user_regs_struct."""
    _fields_ = [(name, ctypes.c_ulong) for name in (
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es "
        "fs gs").split()]


def ptrace(what, pid, data=None):
    if libc.ptrace(what, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {what}: {os.strerror(ctypes.get_errno())}")


def inject(pid, number, *args):
    """The process must be waiting in a call of its own: this one takes its place."""
    r = Registers()
    ptrace(ATTACH, pid)
    _, status = os.waitpid(pid, 0x40000000)  # __WALL
    if not os.WIFSTOPPED(status):
        raise OSError(f"process {pid} ended: {status}")
    ptrace(GETREGS, pid, ctypes.byref(r))
    r.rip -= 2  # back to the instruction that calls
    r.rax, r.orig_rax = number, ctypes.c_ulong(-1).value
    for name, value in zip(("rdi", "rsi", "rdx", "r10", "r8"), args):
        setattr(r, name, value)
    ptrace(SETREGS, pid, ctypes.byref(r))
    ptrace(DETACH, pid)


KILLED = -signal.SIGSYS
