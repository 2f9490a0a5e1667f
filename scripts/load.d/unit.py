"""A unit under load, in a process of its own, that numbers what it sends and notes when: a burst is 38 values in four
datagrams, and every value tells of which burst it is. It hangs up and refuses as it is told."""

import json
import math
import mmap
import multiprocessing
import os
import random
import socket
import threading
import time

HOST = "127.0.0.1"
METERS = [f"{kind}Meter_{i}" for kind, count in (("Source", 14), ("Zone", 8), ("Group", 12), ("Mix", 4)) for i in range(count)]
PARTS = [METERS[start : start + 10] for start in range(0, len(METERS), 10)]
LIMIT = 8_000_000  # bursts

PERIOD = 801
HEAD = b'{"jsonrpc":"2.0","method":"update","params":[{"param":"%s","val":-%d.%05d}%s]}\n'


def tenths(number, meter):
    """What other meters than a part's first tell: no two bursts in a row the same."""
    return -((number * 7 + METERS.index(meter) * 13) % PERIOD) / 10


def levels(number, part):
    """The values of one datagram; the first one is the burst's number."""
    return {meter: -number / 100_000 if meter == PARTS[part][0] else tenths(number, meter) for meter in PARTS[part]}


class Unit:
    """`stay`, `away`: how long, by a random generator, it keeps a connection, and is gone after it; seconds."""

    def __init__(self, rate, stay, away, seed, sends=True):
        self.rate, self.stay, self.away, self.random = rate, stay, away, random.Random(seed)
        memory = memoryview(mmap.mmap(-1, 64 + 16 * LIMIT))  # its pages come when they are written
        self.counts, self.times = memory[:64].cast("q"), memory[64:].cast("d")
        self.is_sending = sends
        self.tcp, self.port = None, 0
        while self.tcp is None:
            self.port = random.SystemRandom().randrange(20_000, 32_000)  # below what the system gives to clients
            self.tcp = self.listen()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, 0))
            self.meter_port = probe.getsockname()[1]
        self.parent = os.getpid()
        self.process = multiprocessing.get_context("fork").Process(target=self.run, daemon=True)
        self.process.start()
        self.tcp.close()  # the other process has its own

    bursts = property(lambda self: self.counts[0])
    echoes = property(lambda self: self.counts[1])
    connections = property(lambda self: self.counts[2])
    is_sending = property(lambda self: self.counts[3], lambda self, value: self.counts.__setitem__(3, value))

    def began(self, number):
        """When the first datagram of this burst was sent, seconds since 1970; never after it."""
        return self.times[2 * number]

    def ended(self, number):
        return self.times[2 * number + 1]

    def stop(self):
        self.process.kill()
        self.process.join()

    # In its own process.

    def listen(self):
        try:
            return socket.create_server((HOST, self.port))
        except OSError:
            return None

    def run(self):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((HOST, 0))
        tails = [
            [b"".join(b',{"param":"%s","val":%.1f}' % (m.encode(), tenths(number, m)) for m in part[1:]) for part in PARTS]
            for number in range(PERIOD)
        ]
        heads, to = [part[0].encode() for part in PARTS], (HOST, self.meter_port)
        threading.Thread(target=self.accept, daemon=True).start()
        due = time.monotonic()
        while os.getppid() == self.parent:
            due += 0.002 if self.rate > 500 else 1 / self.rate
            time.sleep(max(0, due - time.monotonic()))
            for _ in range(max(1, round(self.rate * 0.002)) if self.is_sending else 0):
                number = self.counts[0]
                whole, rest = divmod(number, 100_000)
                datagrams = [HEAD % (head, whole, rest, tail) for head, tail in zip(heads, tails[number % PERIOD])]
                self.times[2 * number] = time.time()
                for datagram in datagrams:
                    self.udp.sendto(datagram, to)
                self.times[2 * number + 1] = time.time()
                self.counts[0] = number + 1

    def accept(self):
        while True:
            connection, _ = self.tcp.accept()
            self.counts[2] += 1
            try:
                with connection:
                    self.converse(connection, time.monotonic() + self.stay(self.random))
            except OSError:
                pass  # the recorder has gone
            away = self.away(self.random)
            if away > 0:
                self.tcp.close()
                time.sleep(away)
                self.tcp = None
                while self.tcp is None:
                    self.tcp = self.listen()

    def converse(self, connection, until):
        held, gain = b"", 0
        while (left := until - time.monotonic()) > 0:
            connection.settimeout(min(left, 0.05))
            try:
                got = connection.recv(1 << 16)
                if not got:
                    return
            except TimeoutError:
                gain += 1  # somebody turns a knob
                self.tell(connection, {"method": "update", "params": [{"param": "ZoneGain_0", "val": -(gain % 80)}]})
                continue
            *lines, held = (held + got).split(b"\n")
            for line in lines:
                self.answer(connection, json.loads(line))

    def answer(self, connection, message):
        if message["method"] == "sub":
            self.tell(connection, {"result": "OK", "id": message.get("id")})
        elif message["method"] == "get":
            name = message["params"]["param"]
            text = {"KeepAlive": "OK", "FirmwareVersion": "1.0"}.get(name, "")
            line = self.tell(connection, {"method": "getResp", "params": [{"param": name, "str": text}]})
            if name == "KeepAlive":
                self.udp.sendto(line, (HOST, self.meter_port))
                self.counts[1] += 1

    @staticmethod
    def tell(connection, message):
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        connection.sendall(line)
        return line


FOR_EVER = math.inf
