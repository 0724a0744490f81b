"""Installs that go well."""
import os
import signal
import ssl

from bundles import BLOCK, PIECE, TOP, blocks, run
from server import Server


def check_installed(stage, box, bundle):
    slot = bundle.slot()
    assert box.read('slots/b')[:len(slot)] == slot, 'the target is not the image and its tree'
    assert box.read('slots/a')[:len(stage.old.slot())] == stage.old.slot()
    assert box.entries() == ['hearth-0001-a.efi', 'hearth-0002-b+3.efi'], box.entries()
    assert box.read('boot/EFI/Linux/hearth-0002-b+3.efi') == bundle.uki, 'the kernel is another one'
    assert box.read('state/update/slot-b') == bundle.version.encode() + b'\n'
    network = ['network-up'] if box.world.get('network-up') == 'on' else []
    assert box.read('state/update/apps-before').decode().split('\n') == ['app-web', *network, '']
    assert not box.exists('data/update/job')
    box.wait_fact('update-ready', 'on', 'version %s in slot b' % bundle.version)
    box.wait_fact('update-running', 'off')


def case_file(stage):
    bundle = stage.bundle(stage.new_blocks)
    with stage.box() as box:
        box.write('data/new.hearth', bundle.pack())
        said = box.update('install', '/data/new.hearth')
        assert said['message'].startswith('started: version 0.2.0'), said
        box.wait_state('ready')
        check_installed(stage, box, bundle)
        assert not box.reboots
        assert not box.exists('state/update/snapshot'), 'nobody wants a copy of the volumes'


def case_url_delta(stage):
    bundle = stage.bundle(stage.new_blocks)
    stage.server.files['/new.hearth'] = bundle.pack()
    with stage.box() as box:
        box.update('install', stage.server.url('/new.hearth'))
        ready = box.wait_state('ready')
        check_installed(stage, box, bundle)
    # Of the tree, what is above its leaves, and the first of these: the others have moved.
    need = (stage.CHANGED + 1 + 2 + 1) * BLOCK + len(bundle.uki) + len(bundle.text)
    stage.notes.append('%d KiB for %d KiB that differ' % (stage.server.sent // 1024, need // 1024))
    assert stage.server.sent <= need * 1.15, (stage.server.sent, need)
    assert ready['copied'] >= (stage.BLOCKS - 20) * BLOCK, ready


def case_url_kernel(stage):
    """A kernel with another piece in it, behind which all has moved, and one that has rotted in the running one."""
    parts = [b''.join(blocks(PIECE // BLOCK, seed)) for seed in range(100, 164)]
    stage.old = stage.bundle(stage.old_blocks, '0.1.0', uki=b''.join(parts) + b'end')
    bundle = stage.bundle(stage.old_blocks, uki=b''.join(parts[:9]) + bytes(PIECE) + b''.join(parts[9:]) + b'end')
    stage.server.files['/new.hearth'] = bundle.pack()
    with stage.box() as box:
        rotten = bytearray(stage.old.uki)
        rotten[20 * PIECE + 5] ^= 1
        box.write('boot/EFI/Linux/hearth-0001-a.efi', rotten)
        said = box.update('show', stage.server.url('/new.hearth'))
        stage.server.sent = 0
        box.update('install', stage.server.url('/new.hearth'))
        box.wait_state('ready')
        check_installed(stage, box, bundle)
    need = 2 * PIECE + len(bundle.hashes) + 3 * BLOCK
    stage.notes.append('%d KiB of a kernel of %d' % (stage.server.sent // 1024, len(bundle.uki) // 1024))
    assert need <= stage.server.sent <= need + 2 * BLOCK, (stage.server.sent, need)
    assert said['fetch'] == stage.server.sent, said


def case_url_whole(stage):
    """A server without ranges."""
    bundle = stage.bundle(stage.new_blocks)
    stage.server.files['/new.hearth'] = bundle.pack()
    stage.server.ranges = False
    with stage.box() as box:
        box.update('install', stage.server.url('/new.hearth'))
        box.wait_state('ready')
        check_installed(stage, box, bundle)


def case_restart(stage):
    bundle = stage.bundle(stage.new_blocks)
    with stage.box() as box:
        box.write('data/new.hearth', bundle.pack())
        box.update('install', '/data/new.hearth', '--restart', '--snapshot')
        box.wait_state('ready')
        check_installed(stage, box, bundle)
        assert box.read('state/update/snapshot') == b'before version 0.2.0\n'
        assert box.reboots == [['the update to 0.2.0']], box.reboots


def case_show(stage):
    bundle = stage.bundle(stage.new_blocks)
    stage.server.files['/new.hearth'] = bundle.pack()
    with stage.box() as box:
        before = box.picture()
        said = box.update('show', stage.server.url('/new.hearth'))
        assert said['version'] == '0.2.0' and said['changes'] == 'Better, and more of it', said
        assert said['size'] == len(bundle.pack()), said
        assert said['fetch'] < said['size'] / 2, said
        stage.server.ranges = False
        said = box.update('show', stage.server.url('/new.hearth'))
        assert said['version'] == '0.2.0' and 'fetch' not in said, said
        assert box.picture() == before
        # And what it said comes true.
        assert box.update()['state'] == 'idle'


def peak_until_the_end(box):
    """The most memory, in KiB, that the worker has. It runs as a user of its own, in a cage."""
    peak, status = 0, {}
    while box.update()['state'] not in ('ready', 'failed'):
        pid = box.worker()
        try:
            with open('/proc/%d/status' % (pid or 0)) as f:
                status = dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)
        except OSError:
            continue  # it has just ended
        peak = max(peak, int(status.get('VmHWM', '0 kB').split()[0]))
    assert status['Seccomp'] == '2' and status['NoNewPrivs'] == '1' and int(status['CapEff'], 16) == 0, status
    assert not box.other_user or status['Uid'].split() == ['903'] * 4, status['Uid']
    return peak


def case_memory(stage):
    """The worker's peak does not depend on the size."""
    stage.server.rate = 0
    bundle = stage.bundle(blocks(12000, 3))
    stage.server.files['/new.hearth'] = bundle.pack()
    box = stage.box()
    box.write('slots/b', bytes(60 << 20))
    with box:
        box.update('install', stage.server.url('/new.hearth'))
        peak = peak_until_the_end(box)
        check_installed(stage, box, bundle)
    stage.notes.append('%d KiB for a bundle of %d MiB' % (peak, len(bundle.pack()) >> 20))
    assert 0 < peak < 16 << 10, peak


def case_names(stage):
    """Names of servers are resolved, inside the worker's cage: from a file, and by a server that is not there."""
    bundle = stage.bundle(stage.new_blocks)
    stage.server.files['/new.hearth'] = bundle.pack()
    with stage.box() as box:
        box.write('etc/resolv.conf', b'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
        box.update('install', stage.server.url('/new.hearth', 'localhost'))
        box.wait_state('ready')
        check_installed(stage, box, bundle)
        said = box.update('install', stage.server.url('/new.hearth', 'nowhere.test'), '--again')
        assert said['message'].startswith('started, and waiting: '), said
        said = box.wait_state('waiting')
        assert 'nowhere.test' in said['message'], said
        box.update('cancel')
        # Nothing was changed for what never answered: the update waits for its restart still.
        assert box.entries() == ['hearth-0001-a.efi', 'hearth-0002-b+3.efi'], box.entries()
        assert box.update()['state'] == 'ready'


def case_tls(stage):
    path = stage.folder + '/tls'
    run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
        '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', path + '.key', '-out', path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, path + '.key')
    server = Server(context)
    bundle = stage.bundle(stage.new_blocks)
    server.files['/new.hearth'] = bundle.pack()
    with stage.box() as box:
        authorities = [path, TOP + '/build/pkg/ca-certificates/etc/ssl/certs/ca-certificates.crt']
        box.write('etc/ca.pem', b''.join(open(file, 'rb').read() for file in authorities if os.path.exists(file)))
        os.chmod(box.path('etc/ca.pem'), 0o644)
        server.rate = 2 << 20
        box.update('install', server.url('/new.hearth', 'localhost'))
        peak = peak_until_the_end(box)
        check_installed(stage, box, bundle)
    server.stop()
    stage.notes.append('%d KiB' % peak)
    assert 0 < peak < 16 << 10, peak


def case_ready_outlives(stage):
    """The role; and it can be taken back."""
    with stage.box() as box:
        box.write('data/new.hearth', stage.bundle(stage.new_blocks).pack())
        box.update('install', '/data/new.hearth')
        box.wait_state('ready')
        box.stop(signal.SIGKILL)
        box.start()
        said = box.update()
        assert said['state'] == 'ready' and said['message'] == 'version 0.2.0 in slot b; restart to try it', said
        assert box.update('cancel')['state'] == 'idle'
        assert box.entries() == ['hearth-0001-a.efi'], box.entries()
        box.wait_fact('update-ready', 'off')
        assert not box.exists('state/update/slot-b')
