"""The control socket: everything that a peer can do wrong, while PID 1 goes on answering."""
import array
import os
import random
import socket
import time

from box import SLEEP, Failed, check, libc, must, pack, receive, request, service, until

SYS_PIDFD_GETFD = 438


def answers(box, limit=1.0):
    start = time.monotonic()
    status = box.ask('status')
    took = time.monotonic() - start
    check(took < limit, 'an answer took %.2f s' % took)
    return status


def running(make, **more):
    box = make(dict({'a': service('a', SLEEP)}, **more))
    box.wait_ready('a')
    return box


def open_files(box):
    """What PID 1 has open, as links; some of it comes by itself in the first second, so nobody counts it all."""
    links = []
    for fd in os.listdir('/proc/%d/fd' % box.pid):
        try:
            links.append(os.readlink('/proc/%d/fd/%s' % (box.pid, fd)))
        except OSError:
            pass  # closed meanwhile
    return links


def sockets(box):
    return sum(link.startswith('socket:') for link in open_files(box))


def case_garbage(make):
    box = running(make)
    random.seed(1)
    before = sockets(box)
    for size in list(range(1, 40)) + [1023, 1024, 1025, 4000, 60000]:
        s = box.connect()
        s.send(random.randbytes(size))
        kind = receive(s)[1]
        check(kind == 2, 'garbage of %d bytes is answered with kind %d' % (size, kind))
        check(request(s, 'status')[0] == 1, 'the connection still works')
        s.close()
    until(lambda: sockets(box) <= before, 'no descriptor is left')
    answers(box)


def case_half_messages(make):
    box = running(make)
    s = box.connect()
    for message in (b'\0', b'\1\0\0\0', pack(1), pack(1, ''), pack(1, 'status')[:-1], pack(1, 'status', 'x'),
                    pack(1, *['x'] * 300), pack(2, 'nosuch')):
        s.send(message)
        check(receive(s)[1] == 2, '%r is answered with an error' % message)
    check(request(s, 'status')[0] == 1, 'the connection still works')


def case_descriptors_are_closed(make):
    box = running(make)
    s = box.connect()
    passed = os.memfd_create('passed')
    for _ in range(50):
        s.sendmsg([pack(1, 'status')], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [passed] * 8))])
        receive(s)
    os.close(passed)
    until(lambda: not any('memfd:passed' in link for link in open_files(box)), 'the passed descriptors are closed')
    answers(box)


def case_hundred_connections(make):
    box = running(make)
    role = box.connect()
    check(request(role, 'status')[0] == 1, 'a peer that works')
    crowd = []
    for i in range(100):
        crowd.append(box.connect())
        if i % 10 == 0:
            answers(box)
    check(request(role, 'status')[0] == 1, 'the peer that works was not thrown out for idle ones')
    for s in crowd:
        s.close()
    answers(box)


def case_flood(make):
    """Requests without reading, garbage, connections that come and go, all at once."""
    box = running(make)
    end = time.monotonic() + 2
    busy, worst = [], 0.0
    for _ in range(6):
        s = box.connect()
        s.setblocking(False)
        busy.append(s)
    while time.monotonic() < end:
        for s in busy:
            try:
                for _ in range(20):
                    s.send(pack(1, 'services') if random.random() < 0.9 else random.randbytes(200))
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                pass
        box.connect().close()
        start = time.monotonic()
        answers(box)
        worst = max(worst, time.monotonic() - start)
    check(worst < 1, 'the slowest answer took %.2f s' % worst)


def private_kib(box):
    """Pages of its own: written ones of writable mappings (the text on this tmpfs counts as written)."""
    total, writable = 0, False
    with open('/proc/%d/smaps' % box.pid) as f:
        for line in f:
            words = line.split()
            if '-' in words[0]:
                writable = words[1].startswith('rw')
            elif words[0] == 'Private_Dirty:' and writable:
                total += int(words[1])
    return total


def case_memory_does_not_grow(make):
    box = running(make)
    s = box.connect()
    for _ in range(200):
        request(s, 'services')
        request(s, 'status')
    before = private_kib(box)
    for i in range(3000):
        request(s, 'status')
        request(s, 'fact', 'f%d' % (i % 3), 'on', 'number %d' % i)
    grown = private_kib(box) - before
    check(grown <= 160, 'private memory grew by %d KiB' % grown)  # the event ring fills once
    check(private_kib(box) <= 512, 'private memory is %d KiB' % private_kib(box))


def case_follow_events(make):
    box = running(make)
    follower = box.connect()
    check(request(follower, 'events', '-f')[0] == 1, 'following')
    box.ctl('fact', 'weather', 'on', 'sunny')
    number, kind, text = receive(follower)
    check(kind == 3 and 'weather' in text and 'sunny' in text, text)
    seen = box.ask('events')
    check(seen['events'][-1]['name'] == 'weather' and seen['next'] == seen['events'][-1]['seq'] + 1, seen)


def case_slow_follower(make):
    """A follower that never reads costs PID 1 nothing and ends when the ring has gone past it."""
    box = running(make)
    slow, other = box.connect(), box.connect()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    check(request(slow, 'events', '-f')[0] == 1, 'following')
    for i in range(2000):
        request(other, 'fact', 'tick', 'on', 'number %d %s' % (i, 'x' * 100))
    answers(box)
    slow.settimeout(5)
    last = 0
    try:
        while True:
            number, kind, text = receive(slow)
            last += 1
    except (Failed, ConnectionResetError):
        pass
    check(0 < last < 2000, '%d events were kept for it' % last)


def case_peer_that_does_not_read(make):
    box = running(make)
    s = box.connect()
    s.setblocking(False)
    sent = 0
    try:
        while sent < 5000:
            s.send(pack(sent, 'services'))
            sent += 1
    except BlockingIOError:
        pass
    answers(box)
    s.settimeout(5)
    check(receive(s)[1] == 1, 'it gets its answers when it reads at last')


def channel(box, name):
    """The service's end of its control channel is its descriptor 3; borrow it."""
    pidfd = os.pidfd_open(box.host_pid(box.service(name)['pid']))
    s = socket.socket(fileno=must(libc.syscall(SYS_PIDFD_GETFD, pidfd, 3, 0), 'pidfd_getfd'))
    os.close(pidfd)
    s.settimeout(5)
    return s


def case_rights(make):
    """A service with a control channel may look, not touch."""
    box = running(make, w=service('w', SLEEP, control='true'))
    box.wait_ready('w')
    s = channel(box, 'w')
    check(request(s, 'status')[0] == 1, 'status is allowed')
    for words in (('reboot',), ('restart', 'a'), ('fact', 'x', 'on'), ('logs', 'a')):
        kind, text = request(s, *words)
        check(kind == 2, '%s is refused' % words[0])
    s.close()


OK, ERROR, ASK = 1, 2, 4


def read_ask(role):
    """The id and the words of what PID 1 has passed on."""
    frame = role.recv(2048)
    check(frame[4] == ASK and frame[-1] == 0, '%r is an ask' % frame)
    return frame[:4], frame[5:-1].decode().split('\0')


def case_relay(make):
    """Commands that the kube role answers pass through PID 1, which waits for nobody. The test plays the role."""
    box = make({'kube': service('kube', SLEEP, control='true')})
    box.wait_ready('kube')
    role, asker = channel(box, 'kube'), box.connect()
    for words in (('apps',), ('apps', 'diff', 'x'), ('pods',), ('logs', 'pod/a', 'c')):
        asker.send(pack(7, *words))
        number, got = read_ask(role)
        check(tuple(got) == words, 'the words are %r' % got)
        answers(box)
        role.send(number + bytes([OK]) + b'{"for":"%s"}' % words[0].encode())
        reply = receive(asker)
        check(reply[:2] == (7, OK) and words[0] in reply[2], 'the answer is %r' % (reply,))
    asker.send(pack(8, 'apps', 'x'))
    role.send(read_ask(role)[0] + bytes([ERROR]) + b'no app x')
    check(receive(asker) == (8, ERROR, 'no app x'), 'an error is passed on, too')
    check(request(role, 'fact', 'app-x', 'on', 'healthy')[0] == OK, 'the role may tell of its apps')
    for words in (('fact', 'healthy', 'on'), ('status',), ('apps',), ('restart', 'kube')):
        check(request(role, *words)[0] == ERROR, '%r is refused' % (words,))
    asker.send(pack(9, 'apps'))
    read_ask(role)
    box.ask('restart', 'kube')
    number, kind, text = receive(asker)
    check((number, kind) == (9, ERROR) and 'ended before it answered' in text, 'the end of the role is told: ' + text)
    box.ask('stop', 'kube')
    box.wait_service('kube', 'down')
    text = request(asker, 'apps')[1]
    check('not running (down' in text, 'a stopped role is named: ' + text)


def case_updates(make):
    """The real update role below PID 1: its commands, its facts, its rights."""
    box = make({'update': 'name: update\ncommand: [/usr/bin/hearth, update]\ncontrol: true\n'})
    box.wait_ready('update')
    asker = box.connect()

    def told():
        kind, text = request(asker, 'update')
        return kind == OK and '"state":"idle"' in text
    until(told, 'the role answers')
    facts = until(lambda: {f['name']: f['value'] for f in box.ask('facts')['facts'] if f['name'].startswith('update-')},
                  'the role tells facts')
    check(facts.get('update-running') == 'off', 'nothing is under way: %r' % facts)
    for words, text in ((('install', '/data/x'), 'where the root runs from is not known'),
                        (('show', 'ftp://x'), 'none of http(s)'), (('pause',), 'no update is under way'),
                        (('install', 'usb', '--all'), "'--all' is none of")):
        kind, said = request(asker, 'update', *words)
        check(kind == ERROR and text in said, '%r: %s' % (words, said))
    check(box.ctl('update')['message'] == 'no update is under way', 'ctl shows it')
    box.ask('restart', 'update')
    until(told, 'it answers when it was started again')
