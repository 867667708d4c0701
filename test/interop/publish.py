"""Publishes messages with Apache Qpid Proton, an AMQP 1.0 client that shares no code with ours.

Reads one JSON object a line from standard input: `body` (Base64, or a list of them for several data sections), `as`
(`data`, `string` or `binary`), `durable`, and under `properties` and `applicationProperties` values that are either plain
(strings; integers become `long`) or `["type", value]`. Prints how many the broker took, once each is on its disk.
"""

import base64
import json
import sys
import time
import uuid

from proton import AnnotationDict, Data, Described, Endpoint, Message, int32, symbol, timestamp, uint, ulong
from proton.handlers import MessagingHandler
from proton.reactor import Container

TYPES = {
    "ulong": ulong,
    "uint": uint,
    "int": int32,
    "timestamp": timestamp,
    "symbol": symbol,
    "uuid": uuid.UUID,
    "double": float,
    "binary": lambda text: base64.b64decode(text),
}

DATA_SECTION = ulong(0x75)


def typed(value):
    if isinstance(value, list):
        kind, plain = value
        return TYPES[kind](plain)
    return value


def encoded(line):
    """The bytes of one message. Several data sections are written after one another, which is all the standard asks."""
    message = Message(durable=line.get("durable", True))
    for name, value in line.get("properties", {}).items():
        setattr(message, name, typed(value))
    application = {name: typed(value) for name, value in line.get("applicationProperties", {}).items()}
    if application:
        message.properties = application
    body, kind = line["body"], line.get("as", "data")
    if isinstance(body, list):
        return message.encode() if not body else head_of(message) + b"".join(data_section(part) for part in body)
    payload = base64.b64decode(body)
    if kind == "string":
        message.body = payload.decode("utf-8")
        message.inferred = False
    elif kind == "binary":
        message.body = payload
        message.inferred = False
    else:
        message.body = payload
        message.inferred = True  # a data section
    return message.encode()


def data_section(part):
    data = Data()
    data.put_described()
    data.enter()
    data.put_ulong(DATA_SECTION)
    data.put_binary(base64.b64decode(part))
    data.exit()
    return data.encode()


def head_of(message):
    """All sections before the body."""
    message.body = b"\0"
    message.inferred = True
    whole = message.encode()
    tail = data_section(base64.b64encode(b"\0"))
    if not whole.endswith(tail):
        raise ValueError("a message that does not end with its one data section")
    return whole[: -len(tail)]


class Publisher(MessagingHandler):
    def __init__(self, url, address, user, password, lines):
        super().__init__()
        self.url, self.address, self.user, self.password = url, address, user, password
        self.waiting = iter(lines)
        self.total = len(lines)
        self.sent = 0
        self.taken = set()
        self.problem = None

    def on_start(self, event):
        self.connection = event.container.connect(
            self.url,
            user=self.user,
            password=self.password,
            allowed_mechs="PLAIN",
            allow_insecure_mechs=True,
            reconnect=False,
        )
        event.container.create_sender(self.connection, self.address)

    def on_sendable(self, event):
        sender = event.sender
        while sender.credit and self.sent < self.total:
            sender.delivery(str(self.sent))
            sender.stream(encoded(next(self.waiting)))
            sender.advance()
            self.sent += 1
        if self.total == 0:
            self.connection.close()

    def on_accepted(self, event):
        self.taken.add(event.delivery.tag)  # one delivery may be heard of twice
        if len(self.taken) == self.total:
            self.connection.close()

    def on_rejected(self, event):
        self.fail("a message was rejected")

    def on_released(self, event):
        self.fail("a message was released")

    def on_transport_error(self, event):
        self.fail(str(event.transport.condition))

    def on_link_error(self, event):
        self.fail(str(event.link.remote_condition))

    def on_session_error(self, event):
        self.fail(str(event.session.remote_condition))

    def on_connection_error(self, event):
        self.fail(str(event.connection.remote_condition))

    def on_disconnected(self, event):
        if len(self.taken) < self.total:
            self.fail("the connection ended")

    def fail(self, problem):
        self.problem = self.problem or problem
        self.connection.close()


def main():
    url, address, user, password = sys.argv[1:]
    lines = [json.loads(line) for line in sys.stdin if line.strip()]
    publisher = Publisher(url, address, user, password, lines)
    Container(publisher).run()
    for _ in range(5):
        # RabbitMQ 3.10 now and then ends a session as it begins ("noproc" in its log). Nothing was taken: once more.
        if not publisher.problem or publisher.taken:
            break
        time.sleep(1)
        publisher = Publisher(url, address, user, password, lines)
        Container(publisher).run()
    print(len(publisher.taken))
    if len(publisher.taken) != publisher.total:
        sys.exit(f"only {len(publisher.taken)} of {publisher.total} were taken: {publisher.problem}")


main()
