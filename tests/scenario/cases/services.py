"""Services as PID 1 runs them: ends, restarts, readiness, requirements, orphans."""
import os
import signal
import time

from box import SLEEP, STUBBORN, check, service, traced, until


def kill_service(box, name):
    pid = box.service(name)['pid']
    os.kill(box.host_pid(pid), signal.SIGKILL)
    return pid


def restarted(box, name, old):
    """PID 1 has seen the end of the process `old`, and another one runs."""
    until(lambda: (lambda s: s['state'] == 'ready' and s['pid'] != old)(box.service(name)), 'a new process of ' + name)


def case_restart_after_kill(make):
    box = make({'a': service('a', SLEEP)})
    box.wait_ready('a')
    restarted(box, 'a', kill_service(box, 'a'))
    check(box.service('a')['restarts'] == 1, box.service('a'))


def case_backoff_grows(make):
    box = make({'a': service('a', 'read up _ </proc/uptime; echo $up >>/trace; exit 3', type='daemon')})
    box.wait_control()
    times = until(lambda: len(box.trace()) >= 6 and [float(t) for t in box.trace()], 'six starts', 30)
    gaps = [b - a for a, b in zip(times, times[1:])]
    # The first restart is at once, then 100 ms, 200 ms, ...; a busy machine only makes them longer.
    check(all(gap > 0.09 * 2 ** n for n, gap in enumerate(gaps[1:])), 'gaps do not grow: %s' % gaps)
    check(box.service('a')['state'] in ('backoff', 'starting', 'ready'), box.service('a'))
    check('3' in box.service('a')['detail'] or box.service('a')['state'] != 'backoff', box.service('a'))


def case_readiness_by_notify(make):
    box = make({'a': service('a', 'while ! [ -e /tmp/go ]; do sleep 0.02; done; echo READY=1 >&$NOTIFY_FD; ' + SLEEP,
                             ready='notify'),
                'b': service('b', SLEEP, requires=['a'])})
    box.wait_control()
    box.wait_service('a', 'starting')
    check(box.service('b')['state'] == 'waiting' and 'a' in box.service('b')['detail'], box.service('b'))
    box.run('/bin/touch', '/tmp/go')
    box.wait_ready('a', 'b')


def case_readiness_timeout(make):
    box = make({'a': service('a', 'echo start >>/trace; ' + SLEEP, ready='notify', start_timeout='200ms')})
    box.wait_control()
    until(lambda: len(box.trace()) >= 3, 'three tries')
    check(box.service('a')['state'] != 'ready', box.service('a'))


def case_readiness_by_fact(make):
    box = make({'a': service('a', SLEEP, ready='fact:a-works')})
    box.wait_control()
    box.wait_service('a', 'starting')
    box.ctl('fact', 'a-works', 'on', 'because')
    box.wait_service('a', 'ready')


def case_when_fact(make):
    box = make({'a': service('a', SLEEP, when=['data-mounted'])})
    box.wait_control()
    box.wait_service('a', 'waiting')
    check('data-mounted' in box.service('a')['detail'], box.service('a'))
    box.ctl('fact', 'data-mounted', 'on')
    box.wait_service('a', 'ready')


def case_requires_restart(make):
    box = make({'a': traced('a'), 'b': traced('b', requires=['a'])})
    box.wait_ready('a', 'b')
    until(lambda: len(box.trace()) == 2, 'both up')
    box.ctl('restart', 'a')
    seen = until(lambda: len(box.trace()) >= 6 and box.trace(), 'both up again')
    check(seen == ['a up', 'b up', 'b down', 'a down', 'a up', 'b up'], seen)


def case_stop_and_start(make):
    box = make({'a': service('a', SLEEP)})
    box.wait_ready('a')
    box.ctl('stop', 'a')
    box.wait_service('a', 'down')
    box.ctl('start', 'a')
    box.wait_service('a', 'ready')


def case_stop_timeout(make):
    box = make({'a': service('a', STUBBORN, stop_timeout='300ms')})
    box.wait_ready('a')
    until(lambda: box.trace() == ['up'], 'the trap is set')
    box.ctl('stop', 'a')
    box.wait_service('a', 'down')


def case_orphans_reaped(make):
    # 1000 grandchildren whose parent is gone before they end.
    many = 'i=0; while [ $i -lt %d ]; do %s i=$((i+1)); done; '
    box = make({'a': service('a', many % (1000, '(: &) ;') + 'echo done >>/trace; ' + SLEEP),
                'b': service('b', '(sleep 0.2; kill -9 $$) & (' + many % (200, 'sleep 0.3 &') + '); wait',
                             restart='never', type='oneshot')})
    box.wait_control()
    until(lambda: box.trace() == ['done'], 'all orphans made', 30)

    def zombies():
        count = 0
        for pid in box.processes():
            try:
                with open('/proc/%d/stat' % pid) as f:
                    count += f.read().rsplit(')', 1)[1].split()[0] == 'Z'
            except OSError:
                pass
        return count
    until(lambda: zombies() == 0, 'no zombies')
    start = time.monotonic()
    box.ask('status')
    check(time.monotonic() - start < 1, 'PID 1 answers')


def case_log_service_killed(make):
    """What is in a pipe outlives the log service. It is stopped before it is killed, so that this is much, and all."""
    writer = ('n=0; say() { while [ $n -lt $1 ]; do n=$((n+1)); echo line $n; done; }; say 20; '
              'for round in 1 2 3; do while ! [ -e /tmp/go$round ]; do sleep 1; done; '
              'say $((20 + round * 1000)); echo $round >>/trace; done; ' + SLEEP)
    box = make({'log': 'name: log\ncommand: [/usr/bin/hearth, log]\ncontrol: true\nkeep: true\n',
                'a': service('a', writer)})
    box.wait_ready('log', 'a')
    path = box.ctl('logs', 'a')['path']
    lines = lambda: [int(l.rsplit(' ', 1)[1]) for l in box.read(path).split('\n')[:-1] if ' line ' in l]
    until(lambda: lines()[-1:] == [20], 'lines in the log')
    pid = box.service('a')['pid']
    for done in (1, 2, 3):
        log = box.service('log')['pid']
        os.kill(box.host_pid(log), signal.SIGSTOP)
        box.run('/bin/touch', '/tmp/go%d' % done)
        until(lambda: len(box.trace()) == done, 'lines in the pipe')
        os.kill(box.host_pid(log), signal.SIGKILL)
        restarted(box, 'log', log)
        until(lambda: lines()[-1:] == [20 + done * 1000], 'lines go on')
    check(box.service('a')['pid'] == pid and box.service('a')['restarts'] == 0, 'the writer lives')
    check(lines() == list(range(1, 3021)), 'each line once: %d of 3020' % len(lines()))


def case_log_service_missing(make):
    box = make({'a': service('a', 'head -c 1000000 /dev/zero; echo through >>/trace; ' + SLEEP)})
    box.wait_ready('a')
    until(lambda: box.trace() == ['through'], 'a service is not held up when nobody reads its output')
