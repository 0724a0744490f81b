"""An HTTP server with ranges over what is in memory, and with switches for bad weather."""
import http.server
import re
import threading
import time


class Server:
    """files: path -> bytes. Switches may be set at any time:
    ranges: False: 200 with everything    rate: bytes a second, 0: as fast as it goes
    cut: after so many bytes in all the connections end, and no answer comes any more, until it is None again"""

    def __init__(self, tls=None):
        """tls: an ssl.SSLContext."""
        self.tls = tls
        self.files, self.ranges, self.rate, self.cut = {}, True, 0, None
        self.sent, self.requests = 0, []
        self.lock = threading.Lock()
        self.http = self.port = None
        self.start()

    def start(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                outer.answer(self)

            def log_message(self, *args):
                pass

        class Http(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request, client_address):
                pass  # whoever hangs up does so

        self.http = Http(('127.0.0.1', self.port or 0), Handler)
        if self.tls:
            self.http.socket = self.tls.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()

    def url(self, path, host='127.0.0.1'):
        return '%s://%s:%d%s' % ('https' if self.tls else 'http', host, self.port, path)

    def answer(self, request):
        data = self.files.get(request.path)
        with self.lock:
            self.requests.append((request.path, request.headers.get('Range')))
        if self.dead():
            request.close_connection = True
            return
        if data is None:
            request.send_error(404)
            return
        asked = re.fullmatch(r'bytes=(\d+)-(\d*)', request.headers.get('Range', '')) if self.ranges else None
        first = int(asked[1]) if asked else 0
        last = min(int(asked[2]) if asked and asked[2] else len(data) - 1, len(data) - 1)
        if first > last:
            request.send_response(416)
            request.send_header('Content-Range', 'bytes */%d' % len(data))
            request.send_header('Content-Length', '0')
            request.end_headers()
            return
        request.send_response(206 if asked else 200)
        if asked:
            request.send_header('Content-Range', 'bytes %d-%d/%d' % (first, last, len(data)))
        request.send_header('ETag', '"%d"' % hash(data))
        request.send_header('Content-Length', str(last - first + 1))
        request.end_headers()
        self.send(request, data, first, last + 1)

    def dead(self):
        return self.cut is not None and self.sent >= self.cut

    def send(self, request, data, first, end):
        while first < end:
            if self.dead():
                request.close_connection = True
                return
            piece = data[first:min(end, first + 16384)]
            request.wfile.write(piece)
            first += len(piece)
            with self.lock:
                self.sent += len(piece)
            if self.rate:
                time.sleep(len(piece) / self.rate)
