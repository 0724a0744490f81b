"""Copies of the apps' volumes: libexec/hearth/volumes over a made-up disk, run by the image's own shell, killed at
every step; then once more with the real program on a real XFS, where that can be mounted."""
import os
import shutil
import subprocess
import tempfile

from box import TOP, check
from folders import BUSYBOX, Folders

SCRIPT = TOP + '/fs-overlay/usr/libexec/hearth/volumes'
CLUSTER = TOP + '/fs-overlay/usr/libexec/hearth/cluster'
HEARTH = TOP + '/build/hearth'
MKFS = TOP + '/build/pkg/xfsprogs/sbin/mkfs.xfs'
A = 'pvc-11111111-2222-3333-4444-555555555555_utils_notes'
B = 'pvc-66666666-7777-8888-9999-000000000000_htpc_films'
VOLUMES = {A: 'data/volumes/utils/' + A, B: 'data/volumes/htpc/' + B}
APPLETS = 'cat cp date grep mkdir mv rm rmdir sed sh sort sync tail chmod'.split()

# The program, where there is no XFS: a copy, and a limit in a file beside the folder's.
FAKE = """#!{busybox} sh
case $1 in
clone) [ ! -e {root}/full ] && {busybox} cp -a "$2" "$3" && {busybox} rm -f "$3/.limit" && echo 4096 || exit 1 ;;
quota) if [ $# -gt 2 ]; then
		[ "$3" = 0 ] || echo "$3" >"$2/.limit"
	elif [ -e "$2/.limit" ]; then
		echo "100 of $({busybox} cat "$2/.limit") bytes used (project 65536)"
	else
		echo "no quota"
	fi ;;
esac
"""

# A program that counts down, and at nothing kills all of the script.
LAST = """#!{busybox} sh
n=$(($({busybox} cat {count}) - 1))
echo $n >{count}
[ $n -gt 0 ] && exec {real} "$@"
{busybox} kill -9 0
"""


def make_xfs(image):
    with open(image, 'wb') as f:
        f.truncate(512 << 20)
    subprocess.run([MKFS, '-q', '-m', 'reflink=1', image], check=True)


class Disk(Folders):
    """The folders that the scripts read, below one of our own."""

    def __init__(self, xfs=False):
        super().__init__('volumes')
        self.mounted = False
        os.makedirs(self.root + '/data')
        if xfs:
            self.mount()
        self.make(('data/k3s/server/db', 'data/k3s-etc/node', 'boot/EFI/Linux', 'run/hearth', 'usr/share/hearth',
                   'state/update', *VOLUMES.values()), APPLETS)
        self.put('usr/share/hearth/kube', 'k3s v1.36.2+k3s1, assembled from its modules\n')
        self.entries('a', 'hearth-0001-a.efi')
        if xfs:
            os.symlink(HEARTH, self.root + '/bin/hearth')
        else:
            self.program('hearth', FAKE.format(busybox=BUSYBOX, root=self.root))
        for folder in VOLUMES.values():
            subprocess.run([self.root + '/bin/hearth', 'quota', f'{self.root}/{folder}', '4194304'], check=True)
        self.works('old')

    def mount(self):
        image = self.root + '/image'
        make_xfs(image)
        subprocess.run(['mount', '-o', 'loop,prjquota', image, self.root + '/data'], check=True)
        self.mounted = True

    def __exit__(self, *why):
        if self.mounted:
            subprocess.run(['umount', self.root + '/data'], check=True)
        super().__exit__(*why)

    def program(self, name, text):
        path = f'{self.root}/bin/{name}'
        if os.path.lexists(path):
            os.unlink(path)
        self.put('bin/' + name, text)
        os.chmod(path, 0o755)

    def script(self, script, *words, status=0):
        run = subprocess.run([BUSYBOX, 'sh', script, *words], capture_output=True, text=True, timeout=60,
                             start_new_session=True,
                             env={'HEARTH_ROOT': self.root, 'PATH': self.root + '/bin'})
        check(run.returncode == status, f'status {run.returncode}: {run.stdout}{run.stderr}')
        return run.stdout + run.stderr

    def boot(self, status=0):
        """The first start of k3s in a boot; then the apps write."""
        done = self.root + '/run/hearth/volumes-done'
        if os.path.exists(done):
            os.unlink(done)
        said = self.script(SCRIPT, status=status)
        check(os.path.exists(done) == (status == 0), 'k3s is let go when it may, only')
        return said

    def ask(self, name, text):
        self.put('data/snapshots/' + name, text + '\n')

    def restore(self, folder, kind):
        self.ask('restore/' + folder, f'{kind} /{os.path.dirname(VOLUMES[folder])}')

    def works(self, what):
        for folder in VOLUMES.values():
            self.put(folder + '/database', what)

    def holds(self, folder):
        return self.get(VOLUMES[folder] + '/database')

    def copy(self, kind, folder):
        return self.get(f'data/snapshots/{kind}/{folder}/data/database')

    def cut(self, step, *applets):
        for applet in applets:
            real = self.root + '/bin/real-hearth' if applet == 'hearth' else f'{BUSYBOX} {applet}'
            if applet == 'hearth':
                os.rename(self.root + '/bin/hearth', self.root + '/bin/real-hearth')
            self.program(applet, LAST.format(busybox=BUSYBOX, count=self.root + '/count', real=real))
        self.put('count', str(step))

    def left(self):
        """What a run leaves behind that it should not."""
        base = self.root + '/data/snapshots'
        return [f for f in ('part', 'new', 'take') if os.path.exists(f'{base}/{f}')] + [
            f'{d}/{f}' for d in ('ready', 'gone', 'restore') for f in os.listdir(f'{base}/{d}')]


def case_nothing_asked_for(_make):
    with Disk() as disk:
        check(disk.boot() == '', 'nothing is said')
        check(not os.path.exists(disk.root + '/data/snapshots'), 'nothing is made')


def case_taken_and_put_back(_make):
    with Disk() as disk:
        disk.ask('take', 'asked for by hand')
        check('every volume has a copy' in disk.boot(), 'it is said')
        disk.works('new')
        check([disk.copy('before', f) for f in VOLUMES] == ['old', 'old'], 'both are copied')
        about = disk.get(f'data/snapshots/before/{A}/about').split(' ', 2)
        check(about[1:] == ['4096', 'asked for by hand'] and int(about[0]) > 0, about)
        disk.restore(A, 'before')
        said = disk.boot()
        check('utils/notes is back' in said and 'films' not in said, said)
        check((disk.holds(A), disk.holds(B)) == ('old', 'new'), 'one of them is back')
        check(disk.get(VOLUMES[A] + '/.limit') == '4194304', 'with its limit')
        check((disk.copy('before', A), disk.copy('newer', A)) == ('old', 'new'), 'both kinds are kept')
        disk.works('later')
        disk.restore(A, 'newer')
        disk.boot()
        check((disk.holds(A), disk.copy('newer', A)) == ('new', 'later'), 'an exchange')
        check(disk.left() == [], disk.left())


def case_only_before_the_first_start(_make):
    """k3s alone starts again while pods run."""
    with Disk() as disk:
        disk.ask('take', 'asked for by hand')
        disk.boot()
        disk.works('new')
        disk.ask('take', 'again')
        disk.restore(A, 'before')
        check(disk.script(SCRIPT) == '', 'nothing is done')
        check(disk.holds(A) == 'new' and disk.copy('before', A) == 'old', 'nor changed')
        disk.boot()
        check(disk.holds(A) == 'old', 'at the next boot it is')
        check((disk.copy('before', A), disk.copy('before', B)) == ('old', 'new'), 'first back, then copied')


def case_no_room(_make):
    """By hand it is said and left; a system on trial does not begin without the copy."""
    with Disk() as disk:
        disk.ask('take', 'asked for by hand')
        disk.boot()
        disk.works('new')
        disk.put('full', '')
        disk.ask('take', 'asked for by hand')
        check('going on without' in disk.boot(), 'it is said')
        check(disk.left() == [] and disk.copy('before', A) == 'old', 'the older copy is kept')
        disk.ask('take', 'before version 0.2.0')
        for tries in ('2-1', '0-3', '0-4'):
            disk.entries('b', 'hearth-0001-a.efi', f'hearth-0002-b+{tries}.efi')
            check('on trial' in disk.boot(status=1), 'k3s is not started')
        disk.entries('a', 'hearth-0001-a.efi', 'hearth-0002-b+0-3.efi')
        disk.boot()
        disk.restore(A, 'before')
        check('it is as it was' in disk.boot() and disk.holds(A) == 'new', 'a restore is left, too')
        check(disk.left() == [], disk.left())


def case_what_is_gone_does_not_go_back(_make):
    with Disk() as disk:
        for kind in ('before', 'newer', 'nonsense'):
            disk.restore(A, kind)
            check('gone' in disk.boot() and disk.holds(A) == 'old', kind)
        disk.ask('take', 'asked for by hand')
        disk.boot()
        shutil.rmtree(f'{disk.root}/{VOLUMES[A]}')
        disk.restore(A, 'before')
        check('gone' in disk.boot() and disk.holds(A) is None and disk.left() == [], 'its volume is')


def case_an_update_asks(_make):
    """The mark of an update becomes that of the first start of what it put there, and of that alone."""
    with Disk() as disk:
        disk.put('data/cluster/ran', '1 a v1.36.2+k3s1\n')
        disk.put('state/update/snapshot', 'before version 0.2.0\n')
        disk.script(CLUSTER)
        disk.boot()
        check(disk.copy('before', A) is None, 'the system that asked makes none')
        disk.entries('b', 'hearth-0001-a.efi', 'hearth-0002-b+2-1.efi')
        disk.script(CLUSTER)
        check(disk.get('data/snapshots/take') == 'before version 0.2.0', 'passed on')
        disk.boot()
        check(disk.copy('before', A) == 'old', 'the new one does')
        disk.works('new')
        disk.entries('b', 'hearth-0001-a.efi', 'hearth-0002-b+1-2.efi')
        disk.script(CLUSTER)
        disk.boot()
        check(disk.copy('before', A) == 'old', 'once')


def case_removed(_make):
    with Disk() as disk:
        disk.ask('take', 'asked for by hand')
        disk.boot()
        os.rename(f'{disk.root}/data/snapshots/before/{A}', f'{disk.root}/data/snapshots/gone/{A}')
        disk.script(SCRIPT, 'clear')
        check(disk.left() == [] and disk.copy('before', B) == 'old', 'the one, not the other')


def every_cut(prepare, after, least, start=Disk.boot):
    """Each program that the script starts is the last one once; then the next start must end as if nothing had been."""
    for step in range(1, 200):
        with Disk() as disk:
            prepare(disk)
            disk.cut(step, 'hearth', 'cp', 'mkdir', 'mv', 'rm', 'rmdir', 'sync')
            try:
                start(disk)
                check(step > least, f'it took {step} steps only')
                after(disk, step)
                return
            except Exception as e:
                check('status -9' in str(e), str(e))
            disk.put('count', '1000')
            start(disk)
            after(disk, step)
            check(disk.left() == [], f'cut at step {step}: {disk.left()}')
    check(False, 'it never ended')


def case_cut_while_taking(_make):
    def prepare(disk):
        disk.ask('take', 'one')
        disk.boot()
        disk.works('new')
        disk.ask('take', 'two')

    def after(disk, step):
        check([disk.copy('before', f) for f in VOLUMES] == ['new'] * 2, f'cut at step {step}')
        check(disk.get(f'data/snapshots/before/{B}/about').endswith(' two'), f'cut at step {step}')
    every_cut(prepare, after, 15)


def case_cut_while_putting_back(_make):
    def prepare(disk):
        disk.ask('take', 'one')
        disk.boot()
        disk.works('new')
        disk.restore(A, 'before')

    def after(disk, step):
        check(disk.holds(A) == 'old' and disk.holds(B) == 'new', f'cut at step {step}: {disk.holds(A)}')
        check(disk.copy('newer', A) == 'new', f'cut at step {step}: the newer data are gone')
        check(disk.copy('before', A) == 'old', f'cut at step {step}: the copy is gone')
        check(disk.get(VOLUMES[A] + '/.limit') == '4194304', f'cut at step {step}: no limit')
        check('put aside' in (disk.get(f'data/snapshots/newer/{A}/about') or ''), f'cut at step {step}')
    every_cut(prepare, after, 15)


def case_cut_while_exchanging(_make):
    def prepare(disk):
        disk.ask('take', 'one')
        disk.boot()
        disk.works('new')
        disk.restore(A, 'before')
        disk.boot()
        disk.works('later')
        disk.restore(A, 'newer')

    def after(disk, step):
        check((disk.holds(A), disk.copy('newer', A)) == ('new', 'later'), f'cut at step {step}: {disk.holds(A)}')
        check(disk.copy('before', A) == 'old', f'cut at step {step}: the copy is gone')
        check(not os.path.exists(f'{disk.root}/data/snapshots/newer/{A}/back'), f'cut at step {step}')
    every_cut(prepare, after, 8)


def case_cut_while_an_update_asks(_make):
    def start(disk):
        disk.script(CLUSTER)
        disk.boot()

    def prepare(disk):
        disk.put('data/cluster/ran', '1 a v1.36.2+k3s1\n')
        disk.put('state/update/snapshot', 'before version 0.2.0\n')
        disk.entries('b', 'hearth-0001-a.efi', 'hearth-0002-b+2-1.efi')

    def after(disk, step):
        check([disk.copy('before', f) for f in VOLUMES] == ['old'] * 2, f'cut at step {step}: no copy')
        check(disk.get('state/update/snapshot') is None, f'cut at step {step}: it would be made again')
        check(disk.get('data/cluster/ran').startswith('2 b '), f'cut at step {step}')
    every_cut(prepare, after, 20, start)


def free(disk):
    v = os.statvfs(disk.root + '/data')
    return v.f_bfree * v.f_bsize


def limit_holds(path):
    """Writing on until there is no more room; how much went in."""
    n = 0
    try:
        with open(path, 'wb', buffering=0) as f:
            while n < 16 << 20:
                n += f.write(b'x' * 65536)
                os.fsync(f.fileno())
    except OSError:
        pass
    os.unlink(path)
    return n


def quota(folder):
    return subprocess.run([HEARTH, 'quota', folder], capture_output=True, text=True, check=True).stdout


def mounts_xfs():
    """Whether this machine's kernel mounts what the box's own mkfs.xfs makes, with project quotas."""
    with tempfile.TemporaryDirectory(prefix='hearth-volumes-') as folder:
        image, place = folder + '/image', folder + '/place'
        os.mkdir(place)
        make_xfs(image)
        mounted = subprocess.run(['mount', '-o', 'loop,prjquota', image, place], capture_output=True).returncode == 0
        if mounted:
            subprocess.run(['umount', place], check=True)
        return mounted


def case_on_a_real_xfs(_make):
    """The copy costs nothing, is exact, and does not count against the volume; what goes back has its limit."""
    if not mounts_xfs():
        print('      this kernel mounts no XFS with limits for us: left to the QEMU case snapshots')
        return
    with Disk(xfs=True) as disk:
        top = f'{disk.root}/{VOLUMES[A]}'
        os.makedirs(top + '/deep/er')
        with open(top + '/deep/big', 'wb') as f:
            f.write(os.urandom(3 << 20))
        os.link(top + '/deep/big', top + '/deep/er/second-name')
        os.symlink('../big', top + '/deep/er/link')
        os.chown(top + '/deep/er', 1000, 2000)
        os.chmod(top + '/deep/er', 0o2750)
        os.setxattr(top + '/deep/big', 'user.note', b'kept')
        os.utime(top + '/deep/big', ns=(10 ** 18, 10 ** 18 + 5))
        os.sync()
        used, room = quota(top), free(disk)
        disk.ask('take', 'one')
        disk.boot()
        check(room - free(disk) < 1 << 20, f'a copy of 3 MiB took {room - free(disk)} bytes')
        check(quota(top) == used, f'{used} before, now {quota(top)}')
        disk.works('new')
        disk.restore(A, 'before')
        disk.boot()
        check((disk.holds(A), disk.copy('newer', A), disk.copy('before', A)) == ('old', 'new', 'old'), 'put back')
        big, second = os.stat(top + '/deep/big'), os.stat(top + '/deep/er/second-name')
        check(big.st_ino == second.st_ino and big.st_nlink == 2, 'two names of one file')
        check(big.st_mtime_ns == 10 ** 18 + 5 and os.getxattr(top + '/deep/big', 'user.note') == b'kept', 'as it was')
        er = os.stat(top + '/deep/er')
        check((er.st_uid, er.st_gid, er.st_mode & 0o7777) == (1000, 2000, 0o2750), 'owner and mode')
        check(os.readlink(top + '/deep/er/link') == '../big', 'link')
        check(not os.path.exists(f'{disk.root}/data/snapshots/part'), 'nothing is left')
        check('of 4194304 bytes' in quota(top), quota(top))
        wrote = limit_holds(top + '/more')
        check(wrote < 2 << 20, f'{wrote} bytes more went into a volume of 4 MiB with 3 MiB in it')
        gone = f'{disk.root}/data/snapshots/gone/{A}'
        os.rename(f'{disk.root}/data/snapshots/newer/{A}', gone)
        disk.script(SCRIPT, 'clear')
        check(not os.path.exists(gone) and disk.holds(A) == 'old', 'removed')
