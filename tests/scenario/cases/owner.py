"""The owner's login with the real PID 1 between the roles: who gets to see the code, and what comes of it."""
import fcntl
import http.client
import json
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

from box import CLONE_NEWNET, RESTARTED, TOP, Failed, check, libc, must, service, until

sys.path.append(TOP + '/tests/update')

import bundles  # noqa: E402

PASSWD = ('root:x:0:0:root:/:/bin/false\nweb:x:900:900:web:/:/bin/false\nauth:x:901:901:auth:/:/bin/false\n')
STORAGE = 'hearth ctl fact state-mounted on "a test"'


def inside(box, work):
    """work() in the box's network namespace: sockets made there stay there."""
    result = []

    def run():
        with open('/proc/%d/ns/net' % box.pid) as ns:
            must(libc.setns(ns.fileno(), CLONE_NEWNET), 'setns net')
        result.append(work())
    t = threading.Thread(target=run)
    t.start()
    t.join()
    check(result, 'in the network namespace')
    return result[0]


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', 1))  # SIOCSIFFLAGS, IFF_UP
    return True


def ask(box, method, path, body=None, headers=None):
    """(status, headers, JSON) over HTTPS."""
    c = http.client.HTTPSConnection('localhost', 443)
    raw = inside(box, lambda: socket.create_connection(('127.0.0.1', 443), 10))
    c.sock = ssl.create_default_context(cadata=box.read('/state/tls/cert.pem')).wrap_socket(raw,
                                                                                          server_hostname='localhost')
    c.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body),
              {'Content-Type': 'application/json', **(headers or {})})
    r = c.getresponse()
    text = r.read()
    c.close()
    return r.status, r.headers, json.loads(text) if text else {}


def overlay(name):
    with open('%s/fs-overlay/etc/hearth/services/%s.yaml' % (TOP, name)) as f:
        return f.read()


def owner_box(make, files=(), **services):
    box = make({'storage': service('storage', STORAGE, type='oneshot'), 'cert': overlay('cert'),
                'owner': overlay('owner'), 'web': overlay('web'), **services},
               files={'/etc/passwd': PASSWD, **dict(files)})
    inside(box, loopback_up)
    box.wait_ready('storage', 'cert', 'owner', 'web')
    return box


def first_login(box, password):
    code = until(lambda: box.ask('status').get('first_login'), 'the code')
    status, headers, answer = ask(box, 'POST', '/api/v1/session/first', {'code': code, 'password': password})
    check(status == 200, answer)
    cookie = re.match('(__Host-hearth=[0-9a-f]{64});', headers['Set-Cookie'])[1]
    return code, {'Cookie': cookie, 'X-Hearth-CSRF': answer['csrf']}


def events(box):
    return [e['text'] for e in box.ask('events', '0')['events'] if e['kind'] == 'owner']


def case_first_login(make):
    if os.getuid():
        return  # needs users beside root in the box
    box = owner_box(make)
    code, session = first_login(box, 'a good password')
    shown = 'first login: code %s at ' % code
    check(box.ask('owner')['message'] == "a password is set; 'owner reset' forgets it and makes a code for a new one",
          box.ask('owner'))
    check('first_login' not in box.ask('status'), box.ask('status'))
    for path in ('status', 'facts', 'events?from=0', 'services'):
        text = json.dumps(ask(box, 'GET', '/api/v1/' + path)[2])
        check(code not in text and shown not in text, 'the code is in ' + path)
    for path in ('/dev/console', '/dev/kmsg'):
        check(code not in box.read(path) and 'a good password' not in box.read(path), 'secrets in ' + path)
    check('first login from 127.0.0.1; the password is set' in events(box), events(box))
    check(ask(box, 'POST', '/api/v1/session', {'password': 'a bad password'})[0] == 401, 'a wrong password')
    check(ask(box, 'POST', '/api/v1/session', {'password': 'a good password'})[0] == 200, 'the right password')
    check('wrong password from 127.0.0.1' in events(box), events(box))
    # What is passed on reaches PID 1's table: there is no update role here.
    status, _, answer = ask(box, 'POST', '/api/v1/command', {'words': ['update', 'pause']}, session)
    check((status, 'update: not in this image' in answer['error']) == (400, True), answer)
    status, _, answer = ask(box, 'PUT', '/api/v1/update/upload', b'x' * 100, session)
    check((status, 'update: not in this image' in answer['error']) == (400, True), answer)


def case_an_upload_reaches_the_worker(make):
    """From the browser to the update role's worker, by four processes: what it says of the bytes proves it."""
    if os.getuid():
        return
    key = subprocess.run('openssl ecparam -name prime256v1 -genkey -noout | openssl pkey -pubout', shell=True,
                         stdout=subprocess.PIPE, check=True).stdout.decode()
    update = ('mkdir -p /boot && /bin/busybox mount -t tmpfs none /boot && mkdir -p /boot/EFI/Linux /data && '
              'touch /slot-a /slot-b /boot/EFI/Linux/hearth-0001-a.efi && '
              'exec hearth update --user "" --keys /etc/keys --running /slot-a --target /slot-b --slot a')
    box = owner_box(make, {'/etc/keys/current.pem': key}, update=service('update', update, control='true'))
    box.wait_ready('update')
    _, session = first_login(box, 'a good password')
    status, _, answer = ask(box, 'PUT', '/api/v1/update/upload', b'x' * 200000, session)
    check(status in (200, 409), (status, answer))  # it may have seen enough before all of it came
    said = until(lambda: (lambda u: u if u['state'] == 'failed' else None)(ask(box, 'GET', '/api/v1/update')[2]),
                 'the worker to refuse it')
    check('not a bundle' in said['message'], said)


def kill(box, name):
    before = box.service(name)['pid']
    os.kill(box.host_pid(before), 9)
    until(lambda: box.service(name)['state'] == 'ready' and box.service(name)['pid'] != before, name + ' again')


def try_ask(box, *words, **rest):
    """As ask; (0, {}, {}) when nobody is there."""
    try:
        return ask(box, *words, **rest)
    except (OSError, http.client.HTTPException):
        return 0, {}, {}


def case_an_upload_in_parts_outlives_everybody(make):
    """As the page does it: what is asked for is sent, whoever of the four was killed meanwhile."""
    if os.getuid():
        return
    with tempfile.TemporaryDirectory() as folder:
        keys = bundles.Keys(folder)
        key = pathlib.Path(keys.folder, 'current.pem').read_text()
        old, new = (bundles.Bundle(folder, keys, bundles.image(bundles.blocks(1024, i)), '0.%d.0' % i) for i in (1, 2))
    data, parts = new.pack(), 0
    update = ('touch /slot-a /slot-b /go; until [ -s /go ]; do sleep 0.02; done; [ -d /boot/EFI ] || '
              '{ /bin/busybox mount -t tmpfs none /boot && mkdir -p /boot/EFI/Linux && '
              'touch /boot/EFI/Linux/hearth-0001-a.efi; }; '
              'exec hearth update --user "" --keys /etc/keys --running /slot-a --target /slot-b --slot a')
    box = owner_box(make, {'/etc/keys/current.pem': key}, update=service('update', update, control='true'))
    until(lambda: os.path.exists(box.path('/go')), 'the files in the place of slots')
    for name, what in (('slot-a', old.slot()), ('slot-b', b''), ('go', b'')):
        with open(box.path('/' + name), 'r+b') as f:
            f.write(what.ljust(8 << 20, b'\0'))
    box.wait_ready('update')
    _, session = first_login(box, 'a good password')
    words = {'words': ['update', 'install', 'upload:%d' % len(data)]}
    status, _, answer = ask(box, 'POST', '/api/v1/command', words, session)
    check(status == 200, answer)
    end = time.monotonic() + 60
    victims = {4: 'web', 8: 'update', 12: 'owner'}
    while (said := try_ask(box, 'GET', '/api/v1/update')[2]).get('state') not in ('ready', 'failed'):
        check(time.monotonic() < end, said)
        if not (want := said.get('want')):
            continue
        path, part = '/api/v1/update/upload?from=%d' % want['from'], data[want['from']:][:min(want['length'], 400000)]
        status, _, answer = try_ask(box, 'PUT', path, part, session)
        parts += 1
        if victim := victims.pop(parts, None):
            kill(box, victim)
        if status == 401:
            _, headers, answer = ask(box, 'POST', '/api/v1/session', {'password': 'a good password'})
            session = {'Cookie': headers['Set-Cookie'].split(';')[0], 'X-Hearth-CSRF': answer['csrf']}
    check(said['state'] == 'ready' and not victims, said)
    check(pathlib.Path(box.path('/slot-b')).read_bytes()[:len(new.slot())] == new.slot(), 'slot b')


def case_reset_at_the_box(make):
    if os.getuid():
        return
    box = owner_box(make)
    old, session = first_login(box, 'a good password')
    box.ask('owner', 'reset')
    new = until(lambda: box.ask('status').get('first_login'), 'a new code')
    check(new != old and 'code ' + new in box.ask('owner')['message'], box.ask('owner'))
    check(ask(box, 'GET', '/api/v1/session', headers=session)[2] == {'owner': False, 'session': False}, 'the session')
    check(ask(box, 'POST', '/api/v1/command', {'words': ['reboot']}, session)[0] == 401, 'a command')


def case_a_session_reboots(make):
    if os.getuid():
        return
    box = owner_box(make)
    _, session = first_login(box, 'a good password')
    check(ask(box, 'POST', '/api/v1/command', {'words': ['reboot']})[0] == 401, 'without a session')
    try:
        status, _, answer = ask(box, 'POST', '/api/v1/command', {'words': ['reboot']}, session)
        check(status == 200, answer)
    except (OSError, http.client.HTTPException):
        pass  # the web role may be stopped before it has the answer
    check(box.wait() == RESTARTED, box.status)


def case_roles_that_die(make):
    """The owner role is killed: its sessions are gone, the password is not. The web role is killed: sessions go on."""
    if os.getuid():
        return
    box = owner_box(make)
    _, session = first_login(box, 'a good password')

    def state():
        return try_ask(box, 'GET', '/api/v1/session', headers=session)[2]
    kill(box, 'web')
    check(until(state, 'web to serve') == {'owner': True, 'session': True, 'csrf': session['X-Hearth-CSRF']}, state())
    kill(box, 'owner')
    check(state() == {'owner': True, 'session': False}, state())
    check(box.ask('status')['owner'] == 'set', box.ask('status'))
    try:
        box.ask('session', 'new', '10.0.0.1')
        check(False, 'somebody at the box is no browser')
    except Failed as e:
        check('not allowed from here' in str(e), e)
