# SPDX-License-Identifier: MIT
"""A way to PostgreSQL on which a statement can be stopped where a test wants it: before the server has seen it, or when
it has run, holds its locks, and is not committed. What is awaited is a message of the protocol, never a moment."""
import socket
import struct
import threading

from psycopg2.extensions import make_dsn, parse_dsn


class Hold:
    """Of one statement, once."""

    def __init__(self, statement, point):
        self.statement, self.point = statement, point
        self.reached, self.released = threading.Event(), threading.Event()

    def release(self):
        self.released.set()


class Gate:
    BEFORE, COMMIT = "before", "commit"

    def __init__(self, url):
        self.target = parse_dsn(url)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = make_dsn(url, host="127.0.0.1", port=self.listener.getsockname()[1], sslmode="disable", gssencmode="disable")
        self.holds, self.closed = [], False
        threading.Thread(target=self.accept, daemon=True).start()

    def hold(self, statement, point):
        """The next run of the statement, as the service names it, stops there until it is released."""
        hold = Hold(statement, point)
        self.holds.append(hold)
        return hold

    def take(self, statement, point):
        for hold in self.holds:
            if (hold.statement, hold.point) == (statement, point):
                self.holds.remove(hold)
                return hold
        return None

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            host, port = self.target.get("host", "localhost"), int(self.target.get("port", 5432))
            if host.startswith("/"):
                server = socket.socket(socket.AF_UNIX)
                server.connect(f"{host}/.s.PGSQL.{port}")
            else:
                server = socket.create_connection((host, port))
            Line(self, client, server)

    def close(self):
        self.listener.close()
        for hold in self.holds:
            hold.release()


class Line:
    """One connection. PostgreSQL's messages are a letter, the length of the rest, and the rest."""

    def __init__(self, gate, client, server):
        self.gate, self.client, self.server = gate, client, server
        self.hold = None  # whose end of the transaction is kept back
        for run in (self.requests, self.answers):
            threading.Thread(target=self.until_closed, args=(run,), daemon=True).start()

    def until_closed(self, run):
        try:
            run()
        except (OSError, EOFError):
            pass
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def octets(end, count):
        data = b""
        while len(data) < count:
            more = end.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def message(self, end, letter):
        head = self.octets(end, 5 if letter else 4)
        return head + self.octets(end, struct.unpack("!I", head[-4:])[0] - 4)

    def requests(self):
        self.server.sendall(self.message(self.client, False))  # the start-up message has no letter
        while True:
            message = self.message(self.client, True)
            if message[:1] == b"B":
                statement = message[5:].split(b"\0", 2)[1].decode()
                before = self.gate.take(statement, Gate.BEFORE)
                if before:
                    before.reached.set()
                    before.released.wait()
                self.hold = self.gate.take(statement, Gate.COMMIT)
            if message[:1] == b"S" and self.hold:
                self.server.sendall(b"H\0\0\0\4")  # answer, but do not end the transaction
                self.hold.released.wait()
            self.server.sendall(message)

    def answers(self):
        while True:
            message = self.message(self.server, True)
            hold = self.hold
            if hold and message[:1] in b"CE":  # it has run: complete, or an error
                hold.reached.set()
                hold.released.wait()
                self.hold = None
            self.client.sendall(message)
