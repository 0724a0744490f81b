"""Pauses, ends and losses in the middle of an install."""
import os
import signal
import time

from box import until
from bundles import BLOCK, PIECE, blocks
from cases.install import check_installed

KERNEL = 'boot/EFI/Linux/hearth-b.new'


def begin(stage, box, rate=2 << 20):
    """An install from the server, some way into its blocks. Everything of it comes from outside."""
    bundle = stage.bundle(blocks(stage.BLOCKS, 7))
    stage.server.files['/new.hearth'] = bundle.pack()
    stage.server.rate = rate
    box.update('install', stage.server.url('/new.hearth'))
    until(lambda: box.update().get('phase') == 'downloading' and stage.server.sent > 2 << 20,
          lambda: 'the download is on its way: %s' % box.update())
    return bundle


def case_pause(stage):
    with stage.box() as box:
        bundle = begin(stage, box)
        assert 'not paused' in box.refusal('resume')
        assert box.update('pause')['state'] == 'paused'
        assert 'paused already' in box.refusal('pause')
        assert 'under way' in box.refusal('install', stage.server.url('/new.hearth'))
        time.sleep(1)  # what was said before it heard of it
        before = box.update()['done']
        time.sleep(1.5)
        assert box.update()['done'] == before, 'it goes on while it is paused'
        stage.server.rate = 0
        assert box.update('resume')['state'] == 'loading'
        box.wait_state('ready')
        check_installed(stage, box, bundle)


def case_pause_outlives(stage):
    """The role, and so the box."""
    with stage.box() as box:
        bundle = begin(stage, box)
        box.update('pause')
        box.stop(signal.SIGKILL)
        box.start()
        time.sleep(0.5)
        assert box.update()['state'] == 'paused' and box.worker() is None
        stage.server.rate = 0
        box.update('resume')
        box.wait_state('ready')
        check_installed(stage, box, bundle)


def case_cancel(stage):
    with stage.box() as box:
        begin(stage, box)
        assert box.update('cancel')['state'] == 'idle'
        until(lambda: box.worker() is None, 'the worker ends')
        assert box.entries() == ['hearth-0001-a.efi'], box.entries()
        assert not box.exists('data/update/job')
        assert 'no update is under way' in box.refusal('cancel')
        # That is remembered.
        box.stop(signal.SIGKILL)
        box.start()
        assert box.update()['message'] == 'the last update was cancelled', box.update()
        # And it may begin again.
        stage.server.rate = 0
        bundle = stage.bundle(stage.new_blocks)
        stage.server.files['/new.hearth'] = bundle.pack()
        box.update('install', stage.server.url('/new.hearth'))
        box.wait_state('ready')
        check_installed(stage, box, bundle)


def case_worker_killed(stage):
    with stage.box() as box:
        bundle = begin(stage, box)
        os.kill(box.worker(), signal.SIGKILL)
        stage.server.rate = 0
        ready = box.wait_state('ready')
        check_installed(stage, box, bundle)
        assert ready['kept'] > 100 * BLOCK, ready
        stage.notes.append('%d KiB kept' % (ready['kept'] // 1024))


def case_worker_dies_always(stage):
    with stage.box() as box:
        begin(stage, box)
        for _ in range(3):
            os.kill(until(box.worker, 'a worker'), signal.SIGKILL)
            until(lambda: box.worker() is None, 'it is gone')
        said = box.wait_state('failed')
        assert 'the worker ended' in said['message'], said
        assert box.entries() == ['hearth-0001-a.efi'] and not box.exists('data/update/job')


def case_role_killed(stage):
    """As when the box restarts: the install goes on by itself."""
    with stage.box() as box:
        bundle = begin(stage, box)
        box.stop(signal.SIGKILL)
        assert box.entries() == ['hearth-0001-a.efi'], box.entries()
        stage.server.rate = 0
        box.start()
        ready = box.wait_state('ready')
        check_installed(stage, box, bundle)
        assert ready['kept'] > 100 * BLOCK, ready
        stage.notes.append('%d KiB kept' % (ready['kept'] // 1024))


def case_kernel_cut(stage):
    """In the middle of the kernel, which is the last to come: what is on the ESP of it stays."""
    uki = b''.join(blocks(1024, 9))
    bundle = stage.bundle(stage.old_blocks, uki=uki)
    stage.server.files['/new.hearth'] = bundle.pack()
    stage.server.rate = 1 << 20
    with stage.box() as box:
        box.update('install', stage.server.url('/new.hearth'))
        until(lambda: stage.server.sent > 2 << 20, lambda: 'a part of the kernel: %s' % box.update())
        assert box.update()['phase'] == 'downloading the kernel', box.update()
        worker = box.worker()
        box.stop(signal.SIGKILL)
        until(lambda: not os.path.exists('/proc/%d' % worker), 'the worker ends, too')
        there = sum(box.read(KERNEL)[at:at + PIECE] == uki[at:at + PIECE] for at in range(0, len(uki), PIECE)) * PIECE
        assert there > 512 << 10, there
        stage.server.rate = 0
        box.start()
        fetched = box.wait_state('ready')['fetched']
        check_installed(stage, box, bundle)
    stage.notes.append('%d KiB of %d were there' % (there // 1024, len(uki) // 1024))
    rest = len(uki) - there + len(bundle.hashes) + 2 * BLOCK
    assert fetched <= rest, (fetched, rest)


def case_server_gone(stage):
    with stage.box() as box:
        bundle = begin(stage, box)
        stage.server.cut = stage.server.sent
        said = box.wait_state('waiting')
        assert 'waiting for the network' in said['message'], said
        stage.server.cut = None
        stage.server.rate = 0
        box.wait_state('ready', deadline=90)
        check_installed(stage, box, bundle)


def case_ranges_gone(stage):
    """Another server answers in the middle, one that has no ranges: all of it is read, and what is there is kept."""
    with stage.box() as box:
        bundle = begin(stage, box)
        stage.server.ranges = False
        stage.server.rate = 0
        box.wait_state('ready', 'failed')
        check_installed(stage, box, bundle)


def case_waiting_outlives(stage):
    """What was started before the network was there goes on behind a restart, too; what is refused then is not."""
    bundle = stage.bundle(stage.new_blocks)
    stage.server.files['/new.hearth'] = bundle.pack()
    stage.server.files['/old.hearth'] = stage.bundle(stage.new_blocks, '0.0.9', minimum='0.0.1').pack()
    for name, state in (('/old.hearth', 'failed'), ('/new.hearth', 'ready')):
        with stage.box() as box:
            before = box.picture()
            stage.server.cut = 0
            said = box.update('install', stage.server.url(name))['message']
            assert said.startswith('started, and waiting: http://127.0.0.1'), said
            box.stop(signal.SIGKILL)
            stage.server.cut = None
            box.start()
            box.wait_state(state)
            assert not box.exists('data/update/job')
            if state == 'ready':
                check_installed(stage, box, bundle)
            else:
                assert box.picture() == before
        box.remove()


def case_file_changes(stage):
    """Another bundle at the same address, in the middle."""
    with stage.box() as box:
        begin(stage, box)
        bundle = stage.bundle(stage.new_blocks, '0.3.0')
        stage.server.files['/new.hearth'] = bundle.pack()
        stage.server.rate = 0
        box.wait_state('ready')
        check_installed(stage, box, bundle)
