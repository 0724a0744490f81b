"""What is expected, and waiting for it."""
import time


def expect(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: {got!r} instead of {want!r}")


def wait_for(what, name, seconds=5):
    """Until what() is true; returns its value."""
    deadline = time.time() + seconds
    while not (value := what()):
        if time.time() > deadline:
            raise AssertionError(f"{name}: not in {seconds} s")
        time.sleep(0.01)
    return value


def settled(what, name, for_s=0.5, seconds=10):
    """The value of what() once it has been the same for a while."""
    deadline, value, since = time.time() + seconds, what(), time.time()
    while time.time() - since < for_s:
        if time.time() > deadline:
            raise AssertionError(f"{name}: still changing after {seconds} s")
        time.sleep(0.01)
        if (now := what()) != value:
            value, since = now, time.time()
    return value
