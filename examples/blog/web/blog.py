"""A blog: posts are rows of MariaDB."""
import html
import os
import sys
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pymysql

TITLE = os.environ.get("TITLE", "A blog")


def query(sql, *values):
    with open("/run/secrets/db_password") as file:
        password = file.read().strip()
    connection = pymysql.connect(host="db", user="blog", password=password, database="blog", charset="utf8mb4")
    with connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        connection.commit()
        return cursor.fetchall()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        rows = query("SELECT text FROM posts ORDER BY id DESC LIMIT 50")
        posts = "".join(f"<li>{html.escape(text)}</li>" for (text,) in rows)
        form = '<form method="post"><input name="post" maxlength="500" required> <button>Post</button></form>'
        self.answer(200, f"<!doctype html><title>{html.escape(TITLE)}</title><h1>{html.escape(TITLE)}</h1>{form}<ul>{posts}</ul>")

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 4096)).decode()
        text = urllib.parse.parse_qs(body).get("post", [""])[0][:500]
        if text:
            query("INSERT INTO posts (text) VALUES (%s)", text)
        self.send_response(303)
        self.send_header("Location", "/")
        self.end_headers()

    def answer(self, status, page):
        data = page.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *values):
        if values[1] != "200":
            super().log_message(format, *values)


if __name__ == "__main__":
    if "--check" in sys.argv:
        urllib.request.urlopen("http://127.0.0.1:8000/", timeout=3).read()
    else:
        ThreadingHTTPServer(("", 8000), Handler).serve_forever()
