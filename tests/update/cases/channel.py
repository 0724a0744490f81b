"""The channel of the settings: what its index offers, what is refused of it, and what the box does by itself."""
import hashlib
import signal
import time

from box import until
from bundles import Keys
from cases.install import check_installed

DAY = 86400


def row(version, bundle=None, minimum='0.1.0', **more):
    """An entry of an index; a bundle lies beside it."""
    size, text = (len(bundle.pack()), bundle.text) if bundle else (1 << 20, b'')
    fields = {'version': version, 'minimum': minimum, 'board': 'x86-64-efi', 'url': 'hearth-%s.hearth' % version,
              'size': size, 'manifest-sha256': hashlib.sha256(text).hexdigest(), 'released': 1795564800, **more}
    return '  - {%s}\n' % ', '.join('%s: %s' % field for field in fields.items())


def publish(stage, *rows, serial=42, issued=None, life=30 * DAY, keys=None):
    issued = int(time.time()) - 60 if issued is None else issued
    text = ('format: 1\nchannel: stable\nserial: %d\nissued: %d\nexpires: %d\nversions:\n%s' %
            (serial, issued, issued + life, ''.join(rows))).encode()
    stage.server.files['/s/index.yaml'] = text
    stage.server.files['/s/index.yaml.sig'] = (keys or stage.keys).sign(text)


def settings(stage, box, automatic=False, window=''):
    box.write('run/hearth/settings.yaml', ('update: {url: "%s", automatic: %s, window: "%s"}\n' % (
        stage.server.url('/s/index.yaml'), str(automatic).lower(), window)).encode())


def newer(stage, version='0.2.0'):
    """A bundle that the server has beside the index."""
    bundle = stage.bundle(stage.new_blocks, version)
    stage.server.files['/s/hearth-%s.hearth' % version] = bundle.pack()
    return bundle


def case_channel_none(stage):
    with stage.box() as box:
        for words in (('check',), ('install',)):
            assert 'set update.url in the settings' in box.refusal(*words)


def case_channel(stage):
    bundle = newer(stage)
    publish(stage, row('0.2.0', bundle), row('0.1.0'))
    with stage.box() as box:
        settings(stage, box)
        before = box.picture()[:3]
        said = box.update('check')
        assert said['message'] == '0.2.0 can be installed' and said['version'] == '0.2.0', said
        assert said['size'] == len(bundle.pack()) and said['released'] == '2026-11-25T00:00:00Z', said
        assert said['channel'] == 'stable' and said['edition'] == 42 and 'newest' not in said, said
        assert box.read('state/update/channel') == b'stable 42\n'
        assert box.picture()[:3] == before and box.update()['state'] == 'idle'
        assert box.update()['channel'] == said['message']
        said = box.update('install')
        assert said['message'].startswith('started: version 0.2.0'), said
        box.wait_state('ready')
        check_installed(stage, box, bundle)
        assert not box.reboots
        assert 'waits for a restart' in box.refusal('check')


def case_channel_refused(stage):
    """Each with its sentence; nothing is installed of it, and the edition is not remembered."""
    bundle = newer(stage)
    good, now = row('0.2.0', bundle), int(time.time())
    strange = Keys(stage.folder + '/strange')
    with stage.box() as box:
        settings(stage, box)
        for want, rows, how in (
                ('has expired', (good,), {'issued': now - 2 * DAY, 'life': DAY}),
                ('from the future', (good,), {'issued': now + 3 * DAY}),
                ('signature', (good,), {'keys': strange}),
                ('unknown key', (row('0.2.0', bundle, colour='red'),), {}),
                ('url', (row('0.2.0', bundle, url='../x'),), {}),
                ('larger than', (good, '#' * 40000 + '\n'), {})):
            publish(stage, *rows, serial=99, **how)
            for words in (('check',), ('install',)):
                said = box.refusal(*words)
                assert want in said or (want == 'larger than' and 'larg' in said), (want, said)
        assert not box.exists('state/update/channel')
        box.world['time-synced'] = 'off'
        publish(stage, good, serial=99, issued=now + 3 * DAY)
        assert 'not synchronised' in box.refusal('check')
        box.world['time-synced'] = 'on'
        publish(stage, good, serial=99)
        stage.server.files['/s/index.yaml.sig'] = b'no signature'
        said = box.refusal('check')
        assert 'sign' in said, said
        del stage.server.files['/s/index.yaml.sig']
        said = box.refusal('check')
        assert said.startswith('the signature beside the index: http://') and '404' in said, said
        # Going back is seen also by the next role.
        publish(stage, good, serial=43)
        box.update('check')
        publish(stage, good, serial=42)
        assert 'goes back: edition 42, but 43 was seen' in box.refusal('check')
        box.stop()
        box.start()
        assert 'goes back' in box.refusal('install')
        assert box.entries() == ['hearth-0000-b.efi', 'hearth-0001-a.efi'] and box.update()['state'] == 'idle'


def case_channel_choice(stage):
    bundle = newer(stage)
    with stage.box() as box:
        settings(stage, box)
        publish(stage, row('0.3.0', withdrawn='true'), row('0.2.0', bundle))
        assert box.update('check')['version'] == '0.2.0'
        publish(stage, row('0.4.0', minimum='0.2.0'), row('0.2.0', bundle))
        said = box.update('check')
        assert said['version'] == '0.2.0' and said['newest'] == '0.4.0', said
        assert 'on the way to 0.4.0' in said['message'], said
        publish(stage, row('0.4.0', minimum='0.3.0'))
        said = box.update('check')
        assert 'version' not in said and 'no version here leads there' in said['message'], said
        assert 'no version here leads there' in box.refusal('install')
        publish(stage, row('0.1.0'), row('9.0.0', board='arm64-efi'))
        assert box.update('check')['message'] == 'nothing newer than 0.1.0'
        assert 'nothing newer' in box.refusal('install')
        # What lies at the address is not what the index says.
        publish(stage, row('0.2.0', stage.bundle(stage.new_blocks, '0.2.0', build='other')))
        assert 'is not the one that the channel names' in box.refusal('install')
        assert box.entries() == ['hearth-0000-b.efi', 'hearth-0001-a.efi'], box.entries()


def case_channel_outlives(stage):
    """What the channel has named is held against the bundle behind a restart, too."""
    bundle = newer(stage)
    publish(stage, row('0.2.0', bundle))
    stage.server.rate = 1 << 20
    with stage.box() as box:
        settings(stage, box)
        box.update('install')
        until(lambda: box.update().get('fetched', 0) > 0, 'it is under way')
        box.stop(signal.SIGKILL)
        stage.server.rate = 0
        other = stage.bundle(stage.new_blocks, '0.3.0').pack()
        stage.server.files['/s/hearth-0.2.0.hearth'] = other
        box.start()
        assert 'is not the one that the channel names' in box.wait_state('failed', 'ready')['message']
        assert box.entries() == ['hearth-0001-a.efi'], box.entries()
    box.remove()
    # As it was named it goes on.
    stage.server.files['/s/hearth-0.2.0.hearth'] = bundle.pack()
    stage.server.rate = 1 << 20
    with stage.box() as box:
        settings(stage, box)
        box.update('install')
        until(lambda: box.update().get('fetched', 0) > 0, 'it is under way')
        box.stop(signal.SIGKILL)
        stage.server.rate = 0
        box.start()
        box.wait_state('ready')
        check_installed(stage, box, bundle)


def case_channel_silent(stage):
    publish(stage, row('0.2.0'))
    with stage.box() as box:
        settings(stage, box)
        stage.server.cut = 0
        said = box.refusal('check')
        assert 'does not answer' in said, said
        stage.server.cut = None
        box.update('check')


def utc(offset):
    return time.strftime('%H:%M', time.gmtime(time.time() + offset))


def alone(stage, window, world):
    """A box that looks by itself, at once."""
    box = stage.box()
    box.world = world
    box.options = ['--soon', 'yes']
    settings(stage, box, True, window)
    return box


READY = {'network-up': 'on', 'time-synced': 'on', 'trial-boot': 'off'}


def case_automatic(stage):
    """Looks, installs and restarts, in the window."""
    bundle = newer(stage)
    publish(stage, row('0.2.0', bundle))
    with alone(stage, '%s-%s' % (utc(-3600), utc(3600)), READY) as box:
        box.wait_state('ready')
        check_installed(stage, box, bundle)
        box.stop()
        box.start()
        until(lambda: box.reboots == [['the update to 0.2.0']], lambda: 'a restart: %s' % box.reboots)


def case_automatic_not_now(stage):
    """Outside of the window it only looks; not even that without a network, or while a new version is on trial."""
    bundle = newer(stage)
    publish(stage, row('0.2.0', bundle))
    closed = '%s-%s' % (utc(3600), utc(7200))
    for window, world, looks in ((closed, READY, True), ('', {**READY, 'network-up': 'off'}, False),
                                 ('', {**READY, 'trial-boot': 'on'}, False),
                                 (closed, {**READY, 'time-synced': 'off'}, True)):
        stage.server.requests.clear()
        box = alone(stage, window, world)
        with box:
            if looks:
                until(lambda: box.exists('state/update/channel'), 'it has looked')
            time.sleep(1.5)
            assert box.update()['state'] == 'idle', box.update()
            assert bool(stage.server.requests) == looks and not box.reboots, stage.server.requests
            assert box.entries() == ['hearth-0000-b.efi', 'hearth-0001-a.efi'], box.entries()
        box.remove()


def case_automatic_failed_before(stage):
    """A version that was tried and given up is left alone, but not when a person wants it."""
    bundle = newer(stage)
    publish(stage, row('0.2.0', bundle))
    box = alone(stage, '', READY)
    box.rename('boot/EFI/Linux/hearth-0000-b.efi', 'boot/EFI/Linux/hearth-0002-b+0-3.efi')
    box.mkdir('state/update')
    box.write('state/update/slot-b', b'0.2.0\n')
    with box:
        until(lambda: box.exists('state/update/channel'), 'it has looked')
        time.sleep(1.5)
        assert box.read('state/update/failed') == b'0.2.0\n'
        assert box.update()['state'] == 'idle' and not box.reboots
        assert 'tried here and given up' in box.update('check')['message']
        box.update('install')
        box.wait_state('ready')
