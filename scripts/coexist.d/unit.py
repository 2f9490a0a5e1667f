"""A unit that takes every subscription and sends one meter: the number of the datagram, as a level."""

import json
import socket
import threading
import time

ADDRESS = "127.0.0.2"  # not ours: the other end of its connections is 127.0.0.1
RATE = 300  # datagrams a second


class Unit:
    def __init__(self, control_port, meter_port):
        self.meter_port = meter_port
        self.sent = {}  # by number: when
        self.echoes = 0
        self.subscriber = None
        self.is_on = True
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((ADDRESS, 0))
        self.tcp = socket.create_server((ADDRESS, control_port))
        threading.Thread(target=self.accept, daemon=True).start()
        self.sender = threading.Thread(target=self.send, daemon=True)
        self.sender.start()

    def accept(self):
        while True:
            try:
                connection, peer = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.converse, args=(connection, peer[0]), daemon=True).start()

    def converse(self, connection, host):
        try:
            self.talk(connection, host)
        except OSError:
            pass  # the client has gone

    def talk(self, connection, host):
        with connection, connection.makefile("r") as lines:
            for line in lines:
                message = json.loads(line)
                if message["method"] == "sub":
                    self.answer(connection, {"result": "OK", "id": message.get("id")})
                    if "ZoneMeter_0" in line:
                        self.subscriber = host
                elif message["method"] == "get":
                    name = message["params"]["param"]
                    text = {"KeepAlive": "OK", "FirmwareVersion": "1.0"}.get(name, "")
                    reply = {"method": "getResp", "params": [{"param": name, "str": text}]}
                    self.answer(connection, reply)
                    if name == "KeepAlive" and self.is_on:
                        self.udp.sendto(self.line(reply), (host, self.meter_port))
                        self.echoes += 1

    @staticmethod
    def line(message):
        return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"

    def answer(self, connection, message):
        connection.sendall(self.line(message))

    def send(self):
        due = time.monotonic()
        while self.is_on:
            due += 1 / RATE
            time.sleep(max(0, due - time.monotonic()))
            if self.subscriber is None:
                continue
            number = len(self.sent) + 1
            level = {"method": "update", "params": [{"param": "ZoneMeter_0", "val": -number / 10000}]}
            self.sent[number] = time.time()
            self.udp.sendto(self.line(level), (self.subscriber, self.meter_port))

    def stop(self):
        """Sends no more; what is under way arrives."""
        self.is_on = False
        self.sender.join()
        time.sleep(0.5)
        self.tcp.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self.tcp.close()
        self.udp.close()

    def between(self, start, end):
        return {number for number, at in self.sent.items() if start <= at <= end}
