"""What does a request cost the server, in processor time?

One epoll loop sends prepared requests over a few keep-alive connections and keeps the answers; processor
time is read from the kernel for a whole process tree. Wall time is never looked at. It does not know what
a right answer is.
"""

import os
import re
import select
import socket
import subprocess
import time
from pathlib import Path

CONNECTIONS = 16
START_WITHIN_S = 300
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Trouble(Exception):
    """A server could not be started, or did not answer as it should."""


def post(path, body, headers=()):
    """The bytes of a POST with this JSON text."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body.encode())}", *headers, "", body]
    return "\r\n".join(lines).encode()


def get(path, headers=()):
    """The bytes of a GET."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def free_port():
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    """Whether somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Server:
    """A process that answers on a port, and the processes it starts."""

    def __init__(self, command, log, **options):
        self.log = Path(log)
        with self.log.open("wb") as out:
            self.process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=out, **options)

    def wait_for(self, port):
        """Returns when the port answers."""
        self.wait_until(lambda: listens(port))

    def wait_until(self, ready):
        """What `ready` gives as soon as it gives something; or tells what the process wrote before it ended."""
        until = time.monotonic() + START_WITHIN_S
        while self.process.poll() is None and time.monotonic() < until:
            found = ready()
            if found:
                return found
            time.sleep(0.1)
        self.stop()
        raise Trouble("did not start: " + self.log.read_text(errors="replace")[-400:].strip())

    def cpu_s(self):
        """Processor seconds so far, of the process and all below it."""
        parents, spent = {}, {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
            spent[int(folder.name)] = sum(map(int, fields[11:15])) / TICKS_PER_SECOND
        return sum(seconds for pid, seconds in spent.items() if self.is_above(pid, parents))

    def is_above(self, pid, parents):
        while pid and pid != self.process.pid:
            pid = parents.get(pid)
        return pid == self.process.pid

    def stop(self):
        """Asks it to stop, and waits."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Connection:
    """One request at a time over one socket that is kept open."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.asked = None

    def ask(self, number, request):
        self.asked, self.received = number, b""
        self.socket.sendall(request)

    def receive(self):
        """The body when all of it has come, else nothing."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise Trouble("closed the connection")
        self.received += piece
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = LENGTH.search(head)
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")) or not length:
            raise Trouble("answered " + (head.split(b"\r\n")[0] + b" " + body[:200]).decode(errors="replace"))
        return body if len(body) >= int(length[1]) else None


class Client:
    """Sends the same requests round and round, beginning with any."""

    def __init__(self, port, requests, first=0):
        self.requests, self.sent = requests, first
        self.connections = [Connection(port) for _ in range(min(CONNECTIONS, len(requests)))]

    def send(self, count):
        """Sends so many requests; gives pairs of a request's number and the answer's body."""
        answers, left = [], count
        poll = select.epoll()
        by_socket = {connection.socket.fileno(): connection for connection in self.connections}
        for number, connection in by_socket.items():
            poll.register(number, select.EPOLLIN)
            left -= self.next(connection, left)
        while len(answers) < count:
            ready = poll.poll(60)
            if not ready:
                raise Trouble("no answer within a minute")
            for number, _ in ready:
                connection = by_socket[number]
                body = connection.receive()
                if body is not None:
                    answers.append((connection.asked, body))
                    left -= self.next(connection, left)
        poll.close()
        return answers

    def next(self, connection, left):
        if left <= 0:
            return 0
        number = self.sent % len(self.requests)
        self.sent += 1
        connection.ask(number, self.requests[number])
        return 1

    def close(self):
        for connection in self.connections:
            connection.socket.close()
