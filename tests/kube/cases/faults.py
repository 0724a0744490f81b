"""Bad weather between the role and the API server: each fault is named where people look, costs no busy loop, and when
it is over all is put right."""
import time

from cluster import Failed
from proxy import Fault, Proxy, cut, deaf, dribble, drop, event, half_event, hold, late, say
from stage import check, config_map, secret, service

MAP, MAPS = '/configmaps/map-', '/configmaps$'
WATCH = 'watch=true'
SOON = 20   # seconds from the end of a short fault until all is right
BUSY = 60   # requests that one fault of a few seconds may hit

# name, what happens, to which method, path and query, where it is told, in which words.
# Words: one of those between |.
# Places: app: the fact of the app; api: the fact kube-api; state: the sentence about the whole; None: it passes unseen.
FAULTS = (
    ('403', say(403), 'PATCH', MAP, '', 'app', 'the test says 403'),
    ('403 without words', say(403, '{}'), 'PATCH', MAP, '', 'app', 'not allowed (status 403)'),
    ('404', say(404), 'PATCH', MAP, '', 'app', 'the test says 404'),
    ('409', say(409), 'PATCH', MAP, '', 'app', 'the test says 409'),
    ('429', say(429, headers=[('Retry-After', '1')]), 'PATCH', MAP, '', 'state', 'the test says 429'),
    ('500', say(500, 'oops', kind='text/plain'), 'PATCH', MAP, '', 'app', 'the API server failed (status 500)'),
    ('502', say(502, '<html>', kind='text/html'), 'PATCH', MAP, '', 'app', 'the API server is not ready (status 502)'),
    ('503 everywhere', say(503, 'no'), None, '', '', 'api', 'the API server is not ready'),
    ('no JSON', say(200, '<html>', kind='text/html'), 'PATCH', MAP, '', 'app', 'not JSON'),
    ('reset', drop, 'PATCH', MAP, '', 'api', ''),
    ('answer cut', cut, 'PATCH', MAP, '', 'app', 'eset by peer'),
    ('answer late', late(3), 'PATCH', MAP, '', None, ''),
    ('answer in drops', dribble, 'PATCH', MAP, '', None, ''),
    ('watch 410', say(410), 'GET', MAPS, WATCH, None, ''),
    ('watch 410 inside', event(410), 'GET', MAPS, WATCH, None, ''),
    ('watch error inside', event(500), 'GET', MAPS, WATCH, None, ''),
    ('watch 500', say(500), 'GET', MAPS, WATCH, None, ''),
    ('watch reset', drop, 'GET', MAPS, WATCH, 'api', ''),
    ('event cut', half_event, 'GET', MAPS, WATCH, None, ''),
)
# The rest of FAULTS is not for a quick run.
QUICK = ('403', '429', '500', '503 everywhere', 'reset', 'answer cut', 'watch 410', 'watch 410 inside', 'watch reset')
# These end the session, and with it every watch: they come last.
SESSION = (
    ('401', say(401), None, '', '', 'api', 'the API server does not accept our certificate | status 401'),
)
HANDED_ON = ('answer late', 'answer in drops', 'answer cut')  # the request itself is carried out


class Weather:
    """The parts of a case with a proxy."""

    def __init__(self, stage, proxy, role):
        self.stage, self.proxy, self.role = stage, proxy, role
        self.slowest, self.map, self.done, self.bad = (0, ''), '', 0, []

    def next_map(self):
        """Another object for each fault: repairs of one that is changed too often take their time."""
        self.map, self.done = 'map-%d' % self.done, self.done + 1

    def value(self):
        return self.stage.get('ConfigMap', self.map)['data']['key']

    def told(self, name, place, text):
        if place == 'state':
            self.stage.wait(lambda: text in self.role.state(), '%s: %r in the state' % (name, text))
        elif place:
            fact = {'app': 'app-map', 'api': 'kube-api'}[place]
            self.stage.wait(lambda: self.says(fact, text), '%s is off with %r' % (fact, text))
            told = self.role.facts[fact][1]
            check(place != 'app' or 'ConfigMap case-faults/%s: ' % self.map in told, 'the object is named: ' + told)

    def says(self, fact, text):
        value, told = self.role.facts[fact]
        return value == 'off' and any(part in told for part in text.split(' | '))

    def calm(self, name):
        """Nothing is wrong any more, and nobody says so."""
        for fact in ('kube-api', 'app-map', 'kube-applied'):
            self.role.wait_fact(fact, 'on', deadline=SOON)
        self.stage.wait(lambda: self.role.state() == '', name + ': nothing is wrong any more', SOON)

    def strike(self, name, fault, place, text):
        stage, proxy = self.stage, self.proxy
        self.next_map()
        proxy.fault = fault
        if fault.query:
            proxy.hang_up(fault.path.pattern, fault.query)
            stage.wait(lambda: fault.hits, name + ' has hit')
        stage.merge('ConfigMap', self.map, {'data': {'key': name}})
        stage.wait(lambda: fault.hits, name + ' has hit')
        self.told(name, place, text)
        if name == '429':
            stage.wait(lambda: len(fault.hits) > 2, 'three tries')
            gap = min(b - a for a, b in zip(fault.hits, fault.hits[1:]))
            check(gap >= 1, 'Retry-After: 1 was not kept: %.2f s' % gap)
        if name not in HANDED_ON and place:
            check(self.value() == name, name + ' was no fault at all')
        check(len(fault.hits) < BUSY, '%s: a busy loop of %d tries' % (name, len(fault.hits)))
        proxy.fault, over = None, time.monotonic()
        stage.wait(lambda: self.value() == 'one', name + ': repaired when it is over', SOON)
        self.slowest = max(self.slowest, (time.monotonic() - over, name))
        self.calm(name)

    def strike_all(self, rows):
        """Every row, also behind one that failed."""
        for name, act, method, path, query, place, text in rows:
            try:
                self.strike(name, Fault(act, method, path, query), place, text)
            except Failed as e:
                self.proxy.fault = None
                self.bad.append('%s: %s' % (name, str(e).split('\n', 1)[0]))
                self.settle()

    def settle(self):
        """So that the next row is not judged by the last one."""
        try:
            self.calm('after a failure')
        except Failed:
            pass

    def stranger(self):
        """The server shows a certificate of somebody else."""
        self.next_map()
        self.proxy.context = self.proxy.stranger
        self.proxy.hang_up()
        self.role.wait_fact('kube-api', 'off', 'ertificate')
        self.stage.merge('ConfigMap', self.map, {'data': {'key': 'stranger'}})
        self.proxy.context = self.proxy.trusted
        self.stage.wait(lambda: self.value() == 'one', 'repaired', SOON)
        self.calm('stranger')


class Lasting:
    """Faults whose end the role notices only after a while: they pass beside the short ones."""

    def __init__(self, weather, long):
        self.stage, self.proxy, self.role, self.expect = weather.stage, weather.proxy, weather.role, []
        if long:
            self.deaf_watch()
            self.invalid()
        self.no_answer()

    def expected(self, name, condition):
        self.expect.append((name, time.monotonic(), condition))

    def hit(self, fault, kind=None, name=None, body=None):
        """Once, after that change; then the weather is fine again."""
        self.proxy.fault = fault
        if fault.query:
            self.proxy.hang_up(fault.path.pattern, fault.query)
        else:
            self.stage.merge(kind, name, body)
        self.stage.wait(lambda: fault.hits, 'it has hit %s' % name)
        self.proxy.fault = None

    def deaf_watch(self):
        """150 s of silence end a watch."""
        self.hit(Fault(deaf, 'GET', '/services$', WATCH))
        self.stage.delete('Service', 'net')
        self.expected('deaf watch', lambda: self.stage.get('Service', 'net'))

    def invalid(self):
        """What is refused for good is tried again after a minute."""
        self.hit(Fault(say(422), 'PATCH', '/configmaps/invalid'), 'ConfigMap', 'invalid', {'data': {'key': 'changed'}})
        self.role.wait_fact('app-invalid', 'off', 'the test says 422')
        self.expected('422', lambda: self.stage.get('ConfigMap', 'invalid')['data']['key'] == 'one')

    def no_answer(self):
        """30 s without an answer end a request."""
        self.hit(Fault(hold, 'PATCH', '/secrets/pass'), 'Secret', 'pass', {'data': {'key': 'Y2hhbmdlZA=='}})
        self.expected('no answer', lambda: self.stage.get('Secret', 'pass')['data']['key'] == 'b25l')

    def end(self):
        for name, began, condition in self.expect[::-1]:  # the longest is the first
            self.stage.wait(condition, name + ' has ended', 170)
            self.stage.note('%s: put right after %.0f s' % (name, time.monotonic() - began))
        told = [text for _, name, _, text in self.role.told if 'no answer in time' in text]
        check(told, 'an answer that never came is told')


def case_faults(stage, quick, long):
    """Faults in single answers, by a proxy that ends TLS."""
    stage.make_namespace()
    maps = [config_map('map-%d' % i, app='map') for i in range(len(FAULTS) + len(SESSION) + 1)]
    stage.manifests(*maps, config_map('invalid', app='invalid'), secret('pass', app='pass'),
                    service('net', app='net'))
    with Proxy(stage.cluster, stage.folder + '/proxy') as proxy:
        proxy.fault = Fault(say(500, 'no', kind='text/plain'), path='^/apis$')
        with stage.role(proxy.kubeconfig) as role:
            role.wait_fact('kube-api', 'off', '500')
            proxy.fault = None
            role.wait_applied()
            weather = Weather(stage, proxy, role)
            lasting = None if quick else Lasting(weather, long)
            weather.strike_all([row for row in FAULTS if not quick or row[0] in QUICK])
            if lasting:
                lasting.end()
            weather.strike_all(SESSION)
            weather.stranger()
            check(not weather.bad, '; '.join(weather.bad))
            stage.note('slowest to be put right: %.1f s (%s)' % weather.slowest)
