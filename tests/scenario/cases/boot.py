"""From the exec of PID 1 to a box that works."""
from box import RESTARTED, SLEEP, check, service, until

IDENTITY = ('machine-id=0123456789abcdef0123456789abcdef\nhostname=hearth-0123\nboots=7\nclock=0\n'
            'last-shutdown=reboot asked for by a test\n')
# What the storage role does, in shell: hands over identity and files, then sets the facts.
STORAGE = ('cp() { cat "$1" >"$2"; }; cp /handed/identity /run/hearth/identity; '
           '[ -e /handed/ends ] && cp /handed/ends /run/hearth/ends; '
           'for f in /handed/*.yaml; do [ -e "$f" ] && cp "$f" /run/hearth/services/${f##*/}; done; '
           'hearth ctl fact state-mounted on "a test" && hearth ctl fact data-mounted on "a test"')


def facts(box):
    return {f['name']: f for f in box.ask('facts')['facts']}


def case_ready(make):
    box = make({'a': service('a', SLEEP), 'b': service('b', SLEEP)})
    box.wait_ready('a', 'b')
    status = box.ctl('status')
    check(status['system'] in ('booting', 'degraded'), 'system is ' + status['system'])
    check(status['services'] == {'total': 2, 'ready': 2, 'failed': 0}, status['services'])
    stages = {s['name']: s['state'] for s in status['stages']}
    for name in ('mounts', 'control', 'services'):
        check(stages[name] == 'done' or name == 'mounts', '%s is %s' % (name, stages[name]))
    check('waiting for' in status['waiting'] or ':' in status['waiting'], 'waiting: ' + status['waiting'])


def case_dependency_order(make):
    # Ready when it has noted its start: with `ready: start` the next shell may be quicker.
    trace = 'echo %s >>/trace; echo READY=1 >&$NOTIFY_FD; ' + SLEEP
    box = make({'a': service('a', trace % 'a', requires=['b'], after=['c'], ready='notify'),
                'b': service('b', trace % 'b', requires=['c'], ready='notify'),
                'c': service('c', trace % 'c', ready='notify')})
    box.wait_ready('a', 'b', 'c')
    check(until(lambda: len(box.trace()) == 3 and box.trace(), 'three starts') == ['c', 'b', 'a'], box.trace())


def case_identity_and_settings(make):
    box = make({'storage': service('storage', STORAGE, type='oneshot')},
               files={'/handed/identity': IDENTITY, '/handed/mine.yaml': service('mine', SLEEP)})
    box.wait_ready('storage', 'mine')
    status = box.ask('status')
    check(status['name'] == 'hearth-0123' and status['boots'] == 7, status)
    check(status['last_shutdown'] == 'reboot asked for by a test', status['last_shutdown'])
    check(box.read('/run/machine-id') == '0123456789abcdef0123456789abcdef\n', 'machine id')
    check({s['name']: s['state'] for s in status['stages']}['settings'] == 'done', status['stages'])


def case_safe_mode(make):
    """Three crashes in a row: the box comes up, its workloads do not."""
    ends = 'asked 1764000000 60 - 0.1.0 well reboot\n' + 3 * 'panic 1764000000 5 - 0.1.0 ill kernel panic: no reason\n'
    box = make({'storage': service('storage', STORAGE, type='oneshot'), 'a': service('a', SLEEP),
                'k3s': service('k3s', SLEEP, when=['kubernetes', 'data-mounted'])},
               files={'/handed/identity': IDENTITY, '/handed/mine.yaml': service('mine', SLEEP), '/handed/ends': ends})
    box.wait_ready('storage', 'a')
    status = until(lambda: box.ask('status')['system'] == 'safe' and box.ask('status'), 'safe mode')
    check('kernel panic: no reason' in status['detail'], status['detail'])
    check(any('safe mode: 3 runs' in p for p in status['problems']), status['problems'])
    check(status['last_kind'] == 'panic', status['last_kind'])
    states = {s['name']: s['state'] for s in box.ask('services')['services']}
    check('mine' not in states and states['k3s'] == 'waiting', states)
    until(lambda: 'safe mode: 3 runs' in box.read('/dev/console'), 'the console says so')
    check([b['kind'] for b in box.ask('boots')['boots']] == ['panic'] * 3 + ['asked'], box.ask('boots'))
    check(facts(box)['kubernetes']['value'] == 'off', 'kubernetes')


def case_crashes_in_safe_mode(make):
    """Six in a row: the box wants to go over to the other slot. Here that slot cannot be marked, and it stays."""
    ends = 6 * 'panic 1764000000 5 b 0.1.0 ill kernel panic: no reason\n'
    box = make({'storage': service('storage', 'hearth ctl fact slot-other on; ' + STORAGE, type='oneshot')},
               files={'/handed/identity': IDENTITY, '/handed/ends': ends}, env={'HEARTH_SLOT': 'b'})
    box.wait_ready('storage')
    until(lambda: any('this slot should be left' in p for p in box.ask('status')['problems']), 'it wants to leave')
    check(box.ask('status')['system'] == 'safe', box.ask('status'))
    check('the slot could not be marked bad' in box.read('/dev/kmsg'), 'the log tells that it is not marked')


def case_two_crashes_are_no_safe_mode(make):
    ends = 2 * 'panic 1764000000 5 - 0.1.0 ill kernel panic: no reason\n'
    box = make({'storage': service('storage', STORAGE, type='oneshot')},
               files={'/handed/identity': IDENTITY, '/handed/mine.yaml': service('mine', SLEEP), '/handed/ends': ends})
    box.wait_ready('storage', 'mine')


def case_trial(make):
    """A slot on trial is not kept, and says what it waits for: the apps of before. (Without cgroups no box is well.)"""
    script = ('cp() { cat "$1" >"$2"; }; cp /handed/identity /run/hearth/identity; '
              'cp /handed/apps /run/hearth/apps-before; hearth ctl fact slot-other on; '
              'hearth ctl fact trial-boot on "slot b, 2 tries left"; '
              'for f in state-mounted data-mounted network-up; do hearth ctl fact $f on x; done')
    box = make({'storage': service('storage', script, type='oneshot'), 'kube': service('kube', SLEEP)},
               files={'/handed/identity': IDENTITY, '/handed/apps': 'app-coredns\n'})
    box.wait_ready('storage', 'kube')
    for missing in ('node-ready, app-coredns; ', 'app-coredns; '):
        until(lambda: facts(box).get('health', {}).get('detail', '').startswith(
            'waiting for a running system, ' + missing), 'waiting for ' + missing)
        box.ctl('fact', 'node-ready', 'on')
    check(box.ask('status')['health'].endswith(' left'), box.ask('status')['health'])
    check(facts(box)['healthy']['value'] == 'off', 'it is kept already')


def case_trial_without_disks(make):
    """A new version that cannot mount its disks: nobody but the boot loader tells of a trial. When the time is up, a
    minute at least, the box restarts by itself, though its slot cannot be marked bad."""
    box = make({'storage': service('storage', 'exit 1', type='oneshot'), 'a': service('a', SLEEP)},
               files={'/etc/hearth/settings.yaml': 'update:\n  health-deadline: 1m\n'},
               env={'HEARTH_SLOT': 'b', 'HEARTH_TRIAL': '2'})
    box.wait_ready('a')
    check(facts(box)['trial-boot']['detail'] == 'slot b, 2 tries left, says the boot loader', facts(box)['trial-boot'])
    health = until(lambda: box.ask('status')['health'], 'the trial')
    check(health.startswith('waiting for a running system'), health)
    check(box.wait(120) == RESTARTED, 'end is %s' % box.status)
    check('slot b: still without a running system' in box.read('/dev/console'), 'the console tells why')
    check('the slot could not be marked bad' in box.read('/dev/kmsg'), 'the log tells that it is not marked')


def case_no_trial_by_the_entries(make):
    """What the boot entries say goes over the boot loader's early word."""
    box = make({'a': service('a', SLEEP)}, env={'HEARTH_SLOT': 'b', 'HEARTH_TRIAL': '2'})
    box.wait_ready('a')
    until(lambda: box.ask('status')['health'], 'the trial')
    box.ctl('fact', 'slot-other', 'unknown', 'empty')
    box.ctl('fact', 'trial-boot', 'on', 'slot b, 2 tries left')
    check(box.ask('status')['health'] == '', box.ask('status')['health'])
    check(facts(box)['health']['value'] == 'unknown', facts(box)['health'])


def case_broken_service_file(make):
    box = make({'good': service('good', SLEEP),
                'bad': 'name: bad\ndescription: x\ncomand: [/bin/true]\n'})
    box.wait_ready('good')
    problems = box.ask('status')['problems']
    check(any('/etc/hearth/services/bad.yaml:3' in p and 'comand' in p for p in problems), problems)
    check('bad.yaml:3' in until(lambda: box.read('/dev/console'), 'console'), 'the console names file and line')
    check('bad.yaml:3' in box.read('/dev/kmsg'), 'the log names file and line')


def case_broken_service_file_of_the_box(make):
    box = make({'storage': service('storage', STORAGE, type='oneshot')},
               files={'/handed/identity': IDENTITY, '/handed/bad.yaml': 'name: bad\nuser: nobody-here\n'})
    box.wait_ready('storage')
    until(lambda: any(p.startswith('/state/services/bad.yaml:') for p in box.ask('status')['problems']),
          'a problem that names the file under /state')


def case_unknown_requirement(make):
    box = make({'good': service('good', SLEEP), 'lost': service('lost', SLEEP, requires=['nowhere'])})
    box.wait_ready('good')
    problems = box.ask('status')['problems']
    check(any('lost.yaml:' in p and 'nowhere' in p for p in problems), problems)


def case_console_without_terminal(make):
    """Consoles come first; one that cannot start holds nobody, and is told once."""
    box = make({'a': service('a', SLEEP), 'console-x': service('console-x', SLEEP, tty='/dev/none'),
                'console-y': service('console-y', SLEEP, tty='/dev/none', after=['nobody'])})
    box.wait_ready('a')
    check([s['name'] for s in box.ask('services')['services']] == ['console-x', 'a', 'console-y'], 'in this order')
    check(box.service('console-x')['state'] == 'backoff', box.service('console-x'))
    check(len([p for p in box.ask('status')['problems'] if 'console-y' in p]) == 1, box.ask('status')['problems'])
    stages = {s['name']: s for s in box.ask('status')['stages']}
    check(stages['consoles']['state'] == 'done' and stages['consoles']['ms'] < 500, stages['consoles'])


def case_no_services(make):
    box = make({})
    box.wait_control()
    until(lambda: box.ask('status')['system'] == 'rescue', 'rescue')
    check('no usable service file' in box.ask('status')['waiting'], box.ask('status')['waiting'])
    check('no usable service file' in box.ask('status')['detail'], box.ask('status')['detail'])


def case_started(make):
    """What would be in the way of the start waits for its end. Kubernetes belongs to it where it is inside."""
    facts = 'for f in state-mounted data-mounted network-up time-synced; do hearth ctl fact $f on "a test"; done'
    last = service('last', SLEEP, when=['started'])
    box = make({'facts': service('facts', facts, type='oneshot'), 'last': last})
    box.wait_ready('facts')
    check('kubernetes' not in {s['name'] for s in box.ask('status')['stages']}, 'a box without Kubernetes')
    until(lambda: box.service('last')['state'] == 'ready', 'the end of the start')

    box = make({'facts': service('facts', facts, type='oneshot'), 'last': last, 'kube': service('kube', SLEEP)})
    box.wait_ready('facts', 'kube')
    status = until(lambda: (s := box.ask('status'))['system'] != 'booting' and s, 'the system')
    stages = {s['name']: s['state'] for s in status['stages']}
    check((stages['kubernetes'], stages['platform']) == ('running', 'waiting'), stages)
    check('the node to be Ready' in status['waiting'], status['waiting'])
    check(box.service('last')['state'] == 'waiting', box.service('last'))
    box.ask('fact', 'node-ready', 'on')
    box.ask('fact', 'kube-healthy', 'on', '8 of 8 apps healthy')
    box.wait_ready('last')
