"""Uploads: a bundle that comes through a pipe, once (init/console/web_upload.h)."""
import os
import shutil
import signal
import time

from box import until
from bundles import BLOCK
from cases.install import check_installed
from cases.refused import bad_bundles


def send(pipe, data):
    """All of it, or as much as somebody reads."""
    with pipe:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[pipe.write(rest[:65536]):]
        except BrokenPipeError:
            pass


def check_failed(stage, box, want):
    said = box.wait_state('failed', 'ready')
    assert said['state'] == 'failed' and want in said['message'], said
    assert not any('-b' in name for name in box.entries()), box.entries()
    assert not box.exists('data/update/job') and not box.exists('state/update/slot-b')
    assert box.read('slots/a')[:len(stage.old.slot())] == stage.old.slot()
    until(lambda: box.worker() is None, 'the worker ends')


def some_way(stage, box):
    """An upload that has filled half of the slot: bundle, bytes that are left, pipe."""
    bundle = stage.bundle(stage.new_blocks)
    data = bundle.pack()
    half = bundle.at('root.erofs') + stage.BLOCKS // 2 * BLOCK
    pipe = box.upload(len(data))
    sent = 0
    while sent < half:
        sent += pipe.write(data[sent:half])
    assert box.wait_state('loading')['source'] == 'an upload'
    return bundle, data[half:], pipe


def case_upload(stage):
    bundle = stage.bundle(stage.new_blocks)
    data = bundle.pack()
    with stage.box() as box:
        send(box.upload(len(data)), data)
        box.wait_state('ready')
        check_installed(stage, box, bundle)
        box.stop()
        box.start()
        assert box.update()['state'] == 'ready'


def case_upload_slow(stage):
    """Nothing comes for a while; it is one update like any other meanwhile, but cannot be paused."""
    with stage.box() as box:
        bundle, rest, pipe = some_way(stage, box)
        time.sleep(2.5)
        assert 'cannot be paused' in box.refusal('pause')
        assert 'under way' in box.refusal('install', '/data/new.hearth')
        theirs, ours = os.pipe()
        assert 'under way' in box.refusal('upload', '5', fds=[theirs])
        os.close(theirs)
        os.close(ours)
        assert not box.exists('data/update/job')
        send(pipe, rest)
        box.wait_state('ready')
        check_installed(stage, box, bundle)


def case_upload_cut(stage):
    with stage.box() as box:
        bundle, rest, pipe = some_way(stage, box)
        pipe.close()
        check_failed(stage, box, 'the upload broke off at byte %d of %d' % (len(bundle.pack()) - len(rest),
                                                                           len(bundle.pack())))
        # The same once more, and whole: what has come is not written again.
        send(box.upload(len(bundle.pack())), bundle.pack())
        ready = box.wait_state('ready')
        assert ready['kept'] == stage.BLOCKS // 2 * BLOCK, ready
        check_installed(stage, box, bundle)


def case_upload_refused(stage):
    with stage.box() as box:
        before = box.picture()
        assert 'comes with its bytes' in box.refusal('upload', '1000')
        with open('/dev/null', 'rb') as null:
            assert 'comes with its bytes' in box.refusal('upload', '1000', fds=[null.fileno()])
        assert 'how many bytes' in box.refusal('upload')
        assert box.picture() == before
        for what, data, want in bad_bundles(stage):
            if not data:
                continue
            send(box.upload(len(data)), data)
            said = box.wait_state('failed', 'ready')
            assert said['state'] == 'failed' and want in said['message'], (what, said)
            assert box.picture() == before, '%s changed something' % what
        good = stage.bundle(stage.new_blocks).pack()
        send(box.upload(len(good) - 1), good)
        check = box.wait_state('failed', 'ready')
        assert check['state'] == 'failed' and 'cut' in check['message'], check
        assert box.picture() == before


def case_upload_ends(stage):
    """The worker's, the role's, a person's: nothing is left that would go on, and who sends is not kept."""
    with stage.box() as box:
        _, rest, pipe = some_way(stage, box)
        os.kill(box.worker(), signal.SIGKILL)
        check_failed(stage, box, 'the worker ended')
        send(pipe, rest)
    shutil.rmtree(box.root)
    with stage.box() as box:
        _, rest, pipe = some_way(stage, box)
        assert box.update('cancel')['state'] == 'idle'
        until(lambda: box.worker() is None, 'the worker ends')
        assert box.entries() == ['hearth-0001-a.efi'], box.entries()
        send(pipe, rest)
    shutil.rmtree(box.root)
    with stage.box() as box:
        _, rest, pipe = some_way(stage, box)
        box.stop(signal.SIGKILL)
        send(pipe, rest)
        box.start()
        said = box.update()
        assert said['state'] == 'idle' and 'cut off' in said['message'], said
        assert not any(name.endswith('.efi') and '-b' in name for name in box.entries()), box.entries()


# --- in parts ---------------------------------------------------------------------------------------------------------


def begin_parts(stage, box, *switches):
    """Bundle and bytes of an upload in parts that has begun."""
    bundle = stage.bundle(stage.new_blocks)
    data = bundle.pack()
    assert box.update('install', 'upload:%d' % len(data), *switches)['source'] == 'upload:%d' % len(data)
    return bundle, data


def wanted(box):
    """The part that is asked for, or None when all is done."""
    def there():
        said = box.update()
        assert said['state'] not in ('idle', 'failed'), said
        return said if 'want' in said or said['state'] == 'ready' else None
    return until(there, 'a part is asked for').get('want')


def send_parts(box, data, most=1 << 30):
    """What is asked for, until all is there; or until so many bytes were sent. How many they were."""
    sent = 0
    while sent < most and (want := wanted(box)):
        part = data[want['from']:want['from'] + want['length']]
        box.part(part, want['from'])
        sent += len(part)
    return sent


def case_parts(stage):
    """Only what is missing is asked for, as from a server."""
    with stage.box() as box:
        bundle, data = begin_parts(stage, box)
        assert 'under way' in box.refusal('install', 'usb')
        sent = send_parts(box, data)
        ready = box.wait_state('ready')
        check_installed(stage, box, bundle)
        assert ready['fetched'] == sent < len(data) // 4 and ready['copied'] > 0, (ready, sent, len(data))
        stage.notes.append('%d of %d KiB sent' % (sent // 1024, len(data) // 1024))
        assert 'no part' in box.refusal('upload', '5', '0')


def case_parts_wrong(stage):
    with stage.box() as box:
        before = box.picture()
        for words in ('upload:', 'upload:0', 'upload:x', 'upload:-1'):
            assert 'no number of bytes' in box.refusal('install', words)
        assert 'who has the file' in box.refusal('show', 'upload:5')
        assert 'no part' in box.refusal('upload', '5', '0')
        _, data = begin_parts(stage, box)
        want = wanted(box)
        assert want['from'] == 0, want
        for length, start in ((want['length'] + 1, 0), (5, 1), (5, len(data))):
            assert 'are asked for' in box.refusal('upload', str(length), str(start))
        assert 'no place' in box.refusal('upload', '5', 'x')
        assert 'comes with its bytes' in box.refusal('upload', '5', '0')
        assert wanted(box) == want
        box.part(b'x' * want['length'], 0)
        said = box.wait_state('failed')
        assert 'not a bundle' in said['message'], said
        assert box.picture() == before, 'something changed'


def case_parts_broken(stage):
    """Nobody sends for a while; each part breaks off somewhere: it goes on from there."""
    with stage.box() as box:
        bundle, data = begin_parts(stage, box)
        said = box.wait_state('waiting')
        assert 'waiting for the file' in said['message'] and said['want']['from'] == 0, said
        breaks = 0
        while want := wanted(box):
            part = data[want['from']:want['from'] + want['length']]
            if len(part) > 100000:
                breaks += 1
                part = part[:70000]
            box.part(part, want['from'])
        assert breaks > 3
        box.wait_state('ready')
        check_installed(stage, box, bundle)


def case_parts_go_on(stage):
    """After a pause, the end of the worker, and that of the role, as when the box restarts."""
    with stage.box() as box:
        bundle, data = begin_parts(stage, box)
        send_parts(box, data, 100000)
        want = wanted(box)
        assert 'want' not in box.update('pause')
        assert 'paused' in box.refusal('upload', '5', str(want['from']))
        box.update('resume')
        assert wanted(box) == want
        os.kill(box.worker(), signal.SIGKILL)
        until(lambda: 'want' not in box.update(), 'the worker is missed')
        sent = send_parts(box, data, 200000)
        box.stop(signal.SIGKILL)
        box.start()
        assert box.update()['source'] == 'upload:%d' % len(data)
        sent = send_parts(box, data)
        box.wait_state('ready')
        check_installed(stage, box, bundle)
        assert sent < len(data) // 4, sent


def case_parts_cancel(stage):
    with stage.box() as box:
        _, data = begin_parts(stage, box, '--again')
        send_parts(box, data, 100000)
        wanted(box)
        assert box.update('cancel')['state'] == 'idle'
        until(lambda: box.worker() is None, 'the worker ends')
        assert 'want' not in box.update() and not box.exists('data/update/job')
        send(box.upload(len(data)), data)
        box.wait_state('ready')
