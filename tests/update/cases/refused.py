"""What is refused, with the sentence, and that nothing has changed then."""
import os
import shutil

from bundles import CREATED, Bundle, Keys, header, image


LEAST = 4096  # fewer bytes than the first range: the server's refusal is what is said


def bad_bundles(stage):
    """(what, bytes, part of the sentence). stage: what has folder, new_blocks and bundle()."""
    new = stage.new_blocks
    good = stage.bundle(new)
    data = good.pack()
    rows = good.rows()
    strange = Bundle(stage.folder, Keys(stage.folder + '/strange'), image(new))
    yield 'another key', strange.pack(), 'signature'
    changed = stage.bundle(new)
    changed.text = changed.text.replace(b'0.2.0', b'0.2.1')
    yield 'a changed manifest', changed.pack(), 'signature'
    yield 'another board', stage.bundle(new, board='arm64-efi').pack(), 'board'
    yield 'older', stage.bundle(new, '0.0.9', minimum='0.0.1').pack(), 'older'
    yield 'the same', stage.bundle(new, '0.1.0').pack(), 'already'
    yield 'too far', stage.bundle(new, '0.9.0', minimum='0.5.0').pack(), '0.5.0'
    yield 'cut', data[:-1], 'cut'
    yield 'cut in the manifest', data[:700], 'cut'
    yield 'nothing', b'', 'cut'
    yield 'trailing', data + b'\0', 'trailing'
    yield 'order', good.pack([rows[1], rows[0], *rows[2:]]), 'out of order'
    yield 'twice', good.pack([rows[0], rows[0], *rows[1:]]), 'twice'
    yield 'oversize', good.pack([(rows[0][0], rows[0][1] + b'#' * 20000), *rows[1:]]), 'manifest.yaml'
    yield 'path', good.pack([('../manifest.yaml', rows[0][1]), *rows[1:]]), 'folder'
    yield 'no bundle', b'\x7fELF' + bytes(100000), 'not a bundle'
    yield 'unknown key', stage.bundle(new, surprise='1').pack(), 'surprise'
    short = stage.bundle(new)
    short.hashes = short.hashes[:-32]
    yield 'a list that is too short', short.seal().pack(), 'uki.hashes has'
    long = stage.bundle(new)
    long.hashes += bytes(32)
    yield 'a list that is too long', long.seal().pack(), 'uki.hashes has'
    large = stage.bundle(new, uki=b'MZ' + bytes(20 << 20))
    yield 'no room on the ESP', large.pack(), 'ESP'


def bad_frames(stage):
    """The same of bundles whose manifest is right, and what stands between the members is not."""
    good = stage.bundle(stage.new_blocks)
    data = good.pack()

    def instead(at, bad):
        return data[:at] + bad + data[at + len(bad):]
    hashes, uki = good.at('uki.hashes'), good.at('uki.efi')
    yield 'another order', instead(hashes - 512, header('uki.efi', len(good.uki), CREATED)), 'out of order'
    yield 'twice', instead(hashes - 512, header('root.verity', len(good.tree), CREATED)), 'stands twice'
    yield 'a path', instead(uki - 512, header('../uki.efi', len(good.uki), CREATED)), 'in a folder'
    yield 'a strange member', instead(uki - 512, header('uki.bin', len(good.uki), CREATED)), 'which no bundle has'
    yield 'another size', instead(uki - 512, header('uki.efi', len(good.uki) + 1, CREATED)), 'the manifest says'
    yield 'another time', instead(uki - 512, header('uki.efi', len(good.uki), 1)), 'another time'
    yield 'a damaged header', instead(good.at('root.erofs') - 300, b'x'), 'checksum'
    yield 'no zeros', instead(hashes + len(good.hashes), b'x'), 'not zero behind uki.hashes'
    yield 'no zeros at the end', instead(len(data) - 7, b'x'), 'not zero behind root.erofs'


def case_refused(stage):
    with stage.box() as box:
        before = box.picture()
        rows = [(row, ('file', 'url', 'stream')) for row in bad_bundles(stage)]
        rows += [(row, ('file', 'url')) for row in bad_frames(stage)]
        for (what, data, want), sources in rows:
            for source in sources:
                if source == 'file':
                    box.write('data/bad.hearth', data)
                stage.server.files['/bad.hearth'] = data
                stage.server.ranges = source != 'stream'
                place = '/data/bad.hearth' if source == 'file' else stage.server.url('/bad.hearth')
                if source != 'file' and len(data) < LEAST:
                    continue
                said = box.refusal('install', place)
                assert want in said, '%s (%s): %s' % (what, source, said)
                assert box.picture() == before, '%s (%s) changed something' % (what, source)
                if source == 'file':
                    assert box.wait_state('failed')['message'] == 'failed: ' + said
        # And a good one goes in after all that, asked for as it must be.
        box.write('data/same.hearth', stage.bundle(stage.new_blocks, '0.1.0').pack())
        box.update('install', '/data/same.hearth', '--again')
        box.wait_state('ready')


def case_sources(stage):
    with stage.box() as box:
        before = box.picture()
        box.write('state/x.hearth', b'x')
        os.symlink('/state/x.hearth', box.path('data/link'))
        os.mkdir(box.path('data/folder'))
        os.symlink('/state', box.path('data/away'))
        for source, want in (('/data/none', 'No such file'), ('/data/link', 'symbolic link'),
                             ('/data/away/x.hearth', 'symbolic link'), ('/data/folder', 'no plain file'),
                             ('/state/x.hearth', 'none of'), ('/data/../state/x.hearth', 'none of'),
                             ('ftp://x/y', 'none of'), ('usb', 'stick'), ('x', 'none of')):
            said = box.refusal('install', source)
            assert want in said, (source, said)
        assert 'set update.url' in box.refusal('install')
        assert 'from where' in box.refusal('show')
        assert 'none of' in box.refusal('install', '/data/x', '--now')
        assert 'none of' in box.refusal('bake')
        for word in ('pause', 'resume', 'cancel'):
            assert 'no update is under way' in box.refusal(word)
        os.remove(box.path('state/x.hearth'))
        assert box.picture() == before
        said = box.refusal('install', stage.server.url('/none'))
        assert '404' in said or 'not there' in said or 'no such' in said.lower(), said


def case_on_trial(stage):
    with stage.box() as box:
        os.rename(box.path('boot/EFI/Linux/hearth-0001-a.efi'), box.path('boot/EFI/Linux/hearth-0001-a+2-1.efi'))
        box.write('data/new.hearth', stage.bundle(stage.new_blocks).pack())
        before = box.picture()
        assert 'on trial' in box.refusal('install', '/data/new.hearth')
        assert box.picture() == before


def case_in_the_last_try(stage):
    """It leaves none, and the other slot is the only one that is known to work."""
    with stage.box() as box:
        os.rename(box.path('boot/EFI/Linux/hearth-0001-a.efi'), box.path('boot/EFI/Linux/hearth-0002-a+0-3.efi'))
        box.write('boot/EFI/Linux/hearth-0001-b.efi', b'x')
        box.write('data/new.hearth', stage.bundle(stage.new_blocks).pack())
        before = box.picture()
        assert 'on trial' in box.refusal('install', '/data/new.hearth')
        assert box.picture() == before


def case_damaged(stage):
    """Right in the manifest, wrong behind it: seen on the way, and the target has no boot entry then."""
    good = stage.bundle(stage.new_blocks)
    data = good.pack()
    for name, want in (('root.erofs', 'block'), ('uki.efi', 'uki.efi'), ('uki.hashes', 'uki.hashes'),
                       ('root.verity', 'root.verity')):
        for source in ('file', 'url', 'stream'):
            at = good.at(name) + (77 if name == 'uki.hashes' else 5000)
            bad = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
            with stage.box() as box:
                box.write('data/bad.hearth', bad)
                stage.server.files['/bad.hearth'] = bad
                stage.server.ranges = source != 'stream'
                box.update('install', '/data/bad.hearth' if source == 'file' else stage.server.url('/bad.hearth'))
                said = box.wait_state('failed', 'ready')
                assert said['state'] == 'failed' and want in said['message'], (name, source, said)
                assert box.entries() == ['hearth-0001-a.efi'], box.entries()
                assert not box.exists('data/update/job') and not box.exists('state/update/slot-b')
                assert box.read('slots/a')[:len(stage.old.slot())] == stage.old.slot()
            shutil.rmtree(box.root)


def case_lying_list(stage):
    """Signed, and not the kernel's: seen when the kernel comes, and the target has no boot entry then."""
    bundle = stage.bundle(stage.new_blocks)
    bundle.hashes = bundle.hashes[:64] + bytes(32) + bundle.hashes[96:]
    data = bundle.seal().pack()
    for source in ('url', 'stream'):
        with stage.box() as box:
            stage.server.files['/bad.hearth'] = data
            stage.server.ranges = source != 'stream'
            box.update('install', stage.server.url('/bad.hearth'))
            said = box.wait_state('failed', 'ready')
            assert 'the bytes from 32768 on are not what uki.hashes says' in said['message'], (source, said)
            assert box.entries() == ['hearth-0001-a.efi'], box.entries()
        shutil.rmtree(box.root)
