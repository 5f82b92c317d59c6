"""A guestbook: entries are kept in Redis, which is spoken to in its own protocol, so that Python's standard library is enough."""
import html
import os
import signal
import socket
import sys
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TITLE = os.environ.get("TITLE", "Guestbook")
REDIS = (os.environ.get("REDIS_HOST", "redis"), int(os.environ.get("REDIS_PORT", "6379")))

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
 body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 38rem; margin: 3rem auto; padding: 0 1rem; color: #1c2733 }}
 h1 {{ font-size: 1.6rem }} li {{ padding: .3rem 0; border-bottom: 1px solid #e3e8ee }} ul {{ list-style: none; padding: 0 }}
 input {{ font: inherit; padding: .4rem .6rem; width: 70% }} button {{ font: inherit; padding: .4rem 1rem }} footer {{ color: #6b7a89; font-size: .85rem }}
</style>
<h1>{title}</h1>
<form method="post"><input name="entry" maxlength="200" required placeholder="Say something" aria-label="Entry"> <button>Sign</button></form>
<ul>{entries}</ul>
<footer>{count} entries, kept in Redis. This page came from {host}.</footer>
</html>"""


def redis(*words):
    """One command; returns its reply: str, int, list or None."""
    with socket.create_connection(REDIS, timeout=2) as connection:
        data = [word.encode() for word in words]
        connection.sendall(b"*%d\r\n" % len(data) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in data))
        with connection.makefile("rb") as stream:
            return read_reply(stream)


def read_reply(stream):
    line = stream.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind == b"-":
        raise RuntimeError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2].decode()
    if kind == b"*":
        return [read_reply(stream) for _ in range(int(rest))]
    return rest.decode()


class Guestbook(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            return self.answer(200, redis("PING"))
        entries = redis("LRANGE", "entries", "0", "49")
        items = "".join(f"<li>{html.escape(entry)}</li>" for entry in entries)
        self.answer(200, PAGE.format(title=html.escape(TITLE), entries=items, count=redis("LLEN", "entries"), host=socket.gethostname()))

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), 4096)).decode()
        entry = urllib.parse.parse_qs(body).get("entry", [""])[0].strip()[:200]
        if entry:
            redis("LPUSH", "entries", entry)
        self.send_response(303)
        self.send_header("Location", "/")
        self.end_headers()

    def answer(self, status, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def check():
    with urllib.request.urlopen("http://127.0.0.1:8000/health", timeout=2) as answer:
        sys.exit(0 if answer.status == 200 else 1)


if __name__ == "__main__":
    if "--check" in sys.argv:
        check()
    server = ThreadingHTTPServer(("0.0.0.0", 8000), Guestbook)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"{TITLE} answers on port 8000", flush=True)
    server.serve_forever()
