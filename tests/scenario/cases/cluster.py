"""The cluster's identity goes with the slot: libexec/hearth/cluster over a made-up disk, run by the image's own shell,
and killed at every step of a restore."""
import os
import subprocess

from box import TOP, check
from folders import BUSYBOX, Folders

SCRIPT = TOP + '/fs-overlay/usr/libexec/hearth/cluster'

# A program that counts down, and at nothing kills the script that called it.
LAST = """#!{busybox} sh
n=$(($({busybox} cat {count}) - 1))
echo $n >{count}
[ $n -gt 0 ] && exec {busybox} {applet} "$@"
{busybox} kill -9 $PPID
"""


class Disk(Folders):
    """The folders that the script reads, below one of our own."""

    def __init__(self):
        super().__init__('cluster')
        self.make(('data/k3s/server/db', 'data/k3s/server/tls', 'data/k3s-etc/node', 'boot/EFI/Linux', 'run/hearth',
                   'usr/share/hearth'), 'cat cp grep mkdir mv rm sed sh sort sync tail'.split())

    def boot(self, slot, kube, *names, ok=True, shell=BUSYBOX):
        """The script as the start of k3s runs it, then k3s itself: it leaves its version in the datastore."""
        self.entries(slot, *names)
        self.put('usr/share/hearth/kube', f'k3s {kube}, assembled from its modules\n')
        run = subprocess.run([shell, 'sh', SCRIPT], env={'HEARTH_ROOT': self.root, 'PATH': self.root + '/bin'},
                             capture_output=True, text=True, timeout=60)
        check((run.returncode == 0) == ok, f'status {run.returncode}: {run.stdout}{run.stderr}')
        return run.stdout + run.stderr

    def works(self, what):
        self.put('data/k3s/server/db/state.db', what)
        self.put('data/k3s/server/token', what)
        self.put('data/k3s-etc/node/password', what)

    def state(self):
        return [self.get('data/k3s/server/db/state.db'), self.get('data/k3s/server/token'),
                self.get('data/k3s-etc/node/password')]


def first(disk):
    disk.boot('a', 'v1.35.1+k3s1', 'hearth-0001-a+3.efi')
    disk.works('old')


def case_trial_that_fails(_make):
    with Disk() as disk:
        first(disk)
        said = disk.boot('b', 'v1.36.0+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+2-1.efi')
        check('a copy' in said and disk.state() == ['old'] * 3, said)
        disk.works('new')
        disk.boot('b', 'v1.36.0+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+1-2.efi')
        check(disk.state() == ['new'] * 3, 'the second try goes on with what the first one left')
        said = disk.boot('a', 'v1.35.1+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+0-3.efi')
        check('is back' in said and disk.state() == ['old'] * 3, f'{said} {disk.state()}')
        check(disk.get('data/cluster/after-2/server/db/state.db') == 'new', 'the newer one is kept')
        check(disk.get('data/cluster/after-2/password') == 'new', 'with its password')
        disk.works('later')
        check(disk.boot('a', 'v1.35.1+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+0-3.efi') == '', 'once only')
        check(disk.state() == ['later'] * 3, disk.state())


def case_last_try(_make):
    """The first two did not get as far as k3s: the last one, which leaves no try, is one all the same."""
    with Disk() as disk:
        first(disk)
        said = disk.boot('b', 'v1.36.0+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+0-3.efi')
        check('a copy' in said, said)
        disk.works('new')
        disk.boot('a', 'v1.35.1+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+0-3.efi')
        check(disk.state() == ['old'] * 3, disk.state())


def case_given_up_and_chosen_in_the_menu(_make):
    """What a newer Kubernetes makes of the data goes back also when its slot was bad before it was started."""
    with Disk() as disk:
        first(disk)
        for name in ('hearth-0002-b+2-1.efi', 'hearth-0002-b+0-3.efi'):
            disk.boot('b', 'v1.36.0+k3s1', 'hearth-0001-a.efi', name)
            disk.works('new')
            disk.boot('a', 'v1.35.1+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+0-2.efi')
            check(disk.state() == ['old'] * 3, disk.state())
            disk.works('old')


def case_generation_given_twice(_make):
    """A first start cut off behind its copy, then another system with the same number: its copy is made anew."""
    with Disk() as disk:
        first(disk)
        disk.put('data/cluster/before-2/server/db/state.db', 'long ago')
        disk.boot('b', 'v1.36.0+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+2-1.efi')
        disk.works('new')
        disk.boot('a', 'v1.35.1+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+0-3.efi')
        check(disk.state() == ['old'] * 3, disk.state())


def case_damaged_record(_make):
    """Who ran last is not known then: k3s starts over what is there, and the next trial has its copy."""
    for text in ('', '\n', '\0' * 24, 'x'):
        with Disk() as disk:
            first(disk)
            disk.put('data/cluster/ran', text)
            disk.boot('a', 'v1.35.1+k3s1', 'hearth-0001-a.efi')
            disk.boot('b', 'v1.36.0+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+2-1.efi')
            disk.works('new')
            disk.boot('a', 'v1.35.1+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+0-3.efi')
            check(disk.state() == ['old'] * 3, f'{text!r}: {disk.state()}')


def case_trial_that_proves_good(_make):
    with Disk() as disk:
        first(disk)
        disk.boot('b', 'v1.36.0+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+2-1.efi')
        disk.works('new')
        disk.boot('b', 'v1.36.0+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b.efi')
        check(disk.state() == ['new'] * 3, disk.state())
        # Back by hand: the older Kubernetes can not read that.
        disk.boot('a', 'v1.35.1+k3s1', 'hearth-0003-a.efi', 'hearth-0002-b.efi')
        check(disk.state() == ['old'] * 3, disk.state())


def case_back_by_hand_keeps_what_it_can_read(_make):
    with Disk() as disk:
        first(disk)
        disk.boot('b', 'v1.35.2+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+2-1.efi')
        disk.works('new')
        disk.boot('a', 'v1.35.1+k3s1', 'hearth-0003-a.efi', 'hearth-0002-b.efi')
        check(disk.state() == ['new'] * 3, disk.state())


def case_older_without_a_copy(_make):
    with Disk() as disk:
        disk.boot('b', 'v1.36.0+k3s1', 'hearth-0002-b.efi')
        disk.works('new')
        said = disk.boot('a', 'v1.35.1+k3s1', 'hearth-0003-a.efi', 'hearth-0002-b.efi', ok=False)
        check('v1.36.0' in said and 'v1.35.1' in said and disk.state() == ['new'] * 3, said)


def case_the_slot_is_not_known(_make):
    with Disk() as disk:
        disk.works('old')
        check('not known' in disk.boot('', 'v1.36.0', 'hearth-0001-a.efi'), 'it says so')
        check(disk.state() == ['old'] * 3, disk.state())


def case_cut_at_every_step(_make):
    """Each program that the script starts is the last one once; then the next start must end in the same state."""
    for step in range(1, 60):
        with Disk() as disk:
            first(disk)
            disk.boot('b', 'v1.36.0+k3s1', 'hearth-0001-a.efi', 'hearth-0002-b+2-1.efi')
            disk.works('new')
            for applet in 'cp mkdir mv rm sync'.split():
                os.unlink(f'{disk.root}/bin/{applet}')
                disk.put(f'bin/{applet}', LAST.format(busybox=BUSYBOX, count=disk.root + '/count', applet=applet))
                os.chmod(f'{disk.root}/bin/{applet}', 0o755)
            disk.put('count', str(step))
            entries = ('hearth-0001-a.efi', 'hearth-0002-b+0-3.efi')
            try:
                disk.boot('a', 'v1.35.1+k3s1', *entries)
                check(step > 8, f'it took {step} steps only')
                return
            except Exception as e:
                check('status -9' in str(e), str(e))
            disk.put('count', '1000')
            disk.boot('a', 'v1.35.1+k3s1', *entries)
            check(disk.state() == ['old'] * 3, f'cut at step {step}: {disk.state()}')
            check(disk.get('data/cluster/after-2/server/token') == 'new', f'cut at step {step}: the newer one is gone')
    check(False, 'it never ended')
