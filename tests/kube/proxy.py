"""Two proxies between the kube role and the API server, which do harm on request.

Proxy ends TLS on both sides, with an authority and certificates of its own, and speaks HTTP/1.1: it can answer by
itself, cut, slow down, hold back or misquote single answers, chosen by method and path. Pipe passes the bytes of whole
connections on, so that the role speaks HTTP/2 with the API server itself: it can cut, stall and slow down everything.

    with Proxy(cluster, folder) as proxy:      Role(cluster, folder, proxy.kubeconfig)
        proxy.fault = Fault(say(503), method='PATCH')
"""
import base64
import http.client
import http.server
import json
import os
import re
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import time

CHUNK = 16384
HOP = ('transfer-encoding', 'connection', 'content-length', 'keep-alive')


class Aborted(Exception):
    """The connection has been ended on purpose."""


def reset(connection):
    """Ends a connection with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()


# -- what can happen to a request: functions of (exchange) that answer it --------------------------------------------

def say(status, text=None, headers=(), kind='application/json'):
    """Answers without asking the server. text None: a Status as the API server sends it."""
    def act(exchange):
        body = text
        if body is None:
            body = json.dumps({'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Failure',
                               'message': 'the test says %d' % status, 'code': status})
        exchange.answer(status, [('Content-Type', kind), *headers], body.encode())
    return act


def drop(exchange):
    """Connection reset before any answer."""
    exchange.abort()


def cut(exchange):
    """Half of the server's answer."""
    status, headers, body = exchange.ask()
    exchange.answer(status, headers, body, cut=len(body) // 2)


def dribble(exchange):
    """The server's answer in small pieces."""
    status, headers, body = exchange.ask()
    exchange.answer(status, headers, body, piece=max(len(body) // 40, 1), pause=0.02)


def late(seconds):
    """The server's answer, but not yet."""
    def act(exchange):
        answer = exchange.ask()
        exchange.proxy.over.wait(seconds)
        exchange.answer(*answer)
    return act


def hold(exchange):
    """No answer, for as long as the proxy lives."""
    exchange.proxy.over.wait()
    exchange.abort()


def event(code):
    """A watch that begins with an ERROR event."""
    line = json.dumps({'type': 'ERROR', 'object': {'kind': 'Status', 'code': code, 'message': 'the test says %d' % code,
                                                   'reason': 'Expired', 'status': 'Failure'}})
    return say(200, line + '\n')


def half_event(exchange):
    """The first event of a watch, cut in its middle."""
    def part(piece):
        exchange.wfile.write(b'%x\r\n%s\r\n' % (len(piece) // 2, piece[:len(piece) // 2]))
        exchange.abort()
    exchange.forward(each=part)


def deaf(exchange):
    """A watch that opens and then says nothing more, without an end."""
    exchange.forward(each=lambda piece: exchange.proxy.over.wait())


class Fault:
    """Whom it hits, and what happens to them. hits: moments when it did."""

    def __init__(self, act, method=None, path='', query=''):
        self.act, self.method, self.path, self.query, self.hits = act, method, re.compile(path), query, []

    def fits(self, method, target):
        path, _, query = target.partition('?')
        return self.method in (None, method) and self.path.search(path) and self.query in query


class Exchange(http.server.BaseHTTPRequestHandler):
    """One connection of the role, with its requests one after the other."""
    protocol_version = 'HTTP/1.1'

    @property
    def proxy(self):
        return self.server.proxy

    def setup(self):
        self.request = self.proxy.context.wrap_socket(self.request, server_side=True)
        super().setup()
        self.upstream = None
        self.proxy.exchanges.add(self)

    def finish(self):
        self.proxy.exchanges.discard(self)
        if self.upstream:
            self.upstream.close()
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (Aborted, OSError, http.client.HTTPException):
            self.close_connection = True

    def do_any(self):
        self.body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        fault = self.proxy.fault
        if fault is None or not fault.fits(self.command, self.path):
            self.forward()
            return
        fault.hits.append(time.monotonic())
        fault.act(self)

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = do_any

    # -- parts of an answer -----------------------------------------------------------------------------------------

    def _ask(self):
        if self.upstream is None:
            self.upstream = self.proxy.connect()
        headers = {key: value for key, value in self.headers.items() if key.lower() not in ('host', 'connection')}
        self.upstream.request(self.command, self.path, self.body or None, headers)
        return self.upstream.getresponse()

    def ask(self):
        """(status, headers, body) of the real server."""
        response = self._ask()
        return response.status, response.getheaders(), response.read()

    def answer(self, status, headers, body, cut=None, piece=None, pause=0):
        self.send_response_only(status)
        for key, value in headers:
            if key.lower() not in HOP:
                self.send_header(key, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if cut is not None:
            self.wfile.write(body[:cut])
            self.abort()
        piece = piece or len(body) or 1
        for at in range(0, len(body), piece):
            self.wfile.write(body[at:at + piece])
            if pause and self.proxy.over.wait(pause):
                return

    def forward(self, each=None):
        """Passes the answer on as it comes; each: what becomes of every piece of a chunked one."""
        response = self._ask()
        if not response.chunked:
            self.answer(response.status, response.getheaders(), response.read())
            return
        self.send_response_only(response.status)
        for key, value in response.getheaders():
            if key.lower() not in HOP:
                self.send_header(key, value)
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        while piece := response.read1(CHUNK):
            if each:
                each(piece)
            self.wfile.write(b'%x\r\n%s\r\n' % (len(piece), piece))
        self.wfile.write(b'0\r\n\r\n')

    def abort(self):
        """Ends the connection in the middle of whatever was said."""
        reset(socket.socket(fileno=self.connection.detach()))
        raise Aborted


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass  # a role that goes, or does not like our certificate


class Proxy:
    """See above. fault: the one of the moment, or None."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder, self.fault = cluster, folder, None
        self.exchanges = set()  # connections of the role
        self.over = threading.Event()
        os.makedirs(folder)
        make_certificates(folder)
        self.trusted, self.stranger = self._context('server'), self._context('stranger')
        self.context = self.trusted
        self.to_server = ssl.create_default_context(cafile=cluster.tls + '/server-ca.crt')
        self.to_server.load_cert_chain(cluster.tls + '/client-admin.crt', cluster.tls + '/client-admin.key')

    def _context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain('%s/%s.crt' % (self.folder, name), '%s/%s.key' % (self.folder, name))
        context.load_verify_locations(self.folder + '/ca.crt')
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def __enter__(self):
        self.server = Server(('127.0.0.1', 0), Exchange)
        self.server.proxy = self
        self.kubeconfig = self.folder + '/kubeconfig'
        write_kubeconfig(self.kubeconfig, self.server.server_address[1], self.folder)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.hang_up()

    def connect(self):
        connection = http.client.HTTPSConnection('127.0.0.1', self.cluster.port, context=self.to_server)
        if not self.cluster.alone:
            connection._create_connection = self.cluster._dial
        return connection

    def hang_up(self, path='', query=''):
        """Ends the connections on which such a request is under way."""
        wanted = Fault(None, path=path, query=query)
        for exchange in list(self.exchanges):
            if not (path or query) or wanted.fits(getattr(exchange, 'command', ''), getattr(exchange, 'path', '')):
                try:
                    exchange.connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


# -- whole connections ------------------------------------------------------------------------------------------------

class Pipe:
    """Bytes of connections, both ways. pace: seconds between two pieces, piece: the most bytes of one."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.pace, self.piece = 0, CHUNK
        self.pairs = []
        self.changed = threading.Condition()
        self.open = False

    def __enter__(self):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.open = True
        self.kubeconfig = self.folder + '/pipe-kubeconfig'
        with open(self.cluster.kubeconfig) as f:
            text = f.read()
        with open(self.kubeconfig, 'w') as f:
            f.write(re.sub(r'(https://127\.0\.0\.1):\d+', r'\1:%d' % self.listener.getsockname()[1], text))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.open = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def _accept(self):
        while self.open:
            try:
                near, _ = self.listener.accept()
            except OSError:
                continue
            try:
                far = self.cluster._dial() if not self.cluster.alone else \
                    socket.create_connection(('127.0.0.1', self.cluster.port), 15)
            except OSError:  # nobody listens there
                reset(near)
                continue
            far.settimeout(None)
            pair = Pair(near, far)
            self.pairs.append(pair)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._move, args=(pair, one, other), daemon=True).start()

    def _move(self, pair, one, other):
        try:
            while data := one.recv(self.piece):
                with self.changed:
                    self.changed.wait_for(lambda: not pair.caught)
                    if self.pace:
                        self.changed.wait(self.pace)
                other.sendall(data)
        except (OSError, ValueError):
            pass
        pair.end()

    def stall(self):
        """Connections that there are say nothing any more, without an end; new ones do as ever."""
        for pair in self.pairs:
            pair.caught = True

    def cut(self):
        """RST to both sides of everything."""
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            pair.end(hard=True)
        with self.changed:
            self.changed.notify_all()


class Pair:
    """The two ends of a connection. caught: nothing passes."""

    def __init__(self, near, far):
        self.near, self.far, self.caught = near, far, False

    def end(self, hard=False):
        self.caught = False
        for end in (self.near, self.far):
            try:
                if hard:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                end.shutdown(socket.SHUT_RD if hard else socket.SHUT_RDWR)
                end.close()
            except OSError:
                pass


# -- certificates -----------------------------------------------------------------------------------------------------

def openssl(folder, *words):
    subprocess.run(['openssl', *words], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """ca, server and client that it signs; stranger: a server of another authority."""
    new = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2')
    here = ('-addext', 'subjectAltName=IP:127.0.0.1')
    for name in ('ca', 'stranger'):
        openssl(folder, 'req', '-x509', *new, '-keyout', name + '.key', '-out', name + '.crt', '-subj', '/CN=' + name,
                *(here if name == 'stranger' else ()))
    for name in ('server', 'client'):
        openssl(folder, 'req', '-x509', *new, '-keyout', name + '.key', '-out', name + '.crt', '-subj', '/CN=' + name,
                '-CA', 'ca.crt', '-CAkey', 'ca.key', '-addext', 'basicConstraints=critical,CA:FALSE', *here)


def write_kubeconfig(path, port, folder):
    def data(name):
        with open('%s/%s' % (folder, name), 'rb') as f:
            return base64.b64encode(f.read()).decode()
    with open(path, 'w') as f:
        f.write('''apiVersion: v1
kind: Config
clusters:
- name: default
  cluster: {server: "https://127.0.0.1:%d", certificate-authority-data: %s}
contexts:
- name: default
  context: {cluster: default, user: default}
current-context: default
users:
- name: default
  user: {client-certificate-data: %s, client-key-data: %s}
''' % (port, data('ca.crt'), data('client.crt'), data('client.key')))
