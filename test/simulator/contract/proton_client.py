"""A consumer made of Apache Qpid Proton, which shares no code with the simulator.

Reads one JSON object from standard input: `url`, `username`, `password`, `idle` (seconds of the idle-time-out in our open
frame; absent sends none), `mechanisms`, `ca` (file), `receivers` and `senders` (how many links to open, 1 and 0), `source`
(null attaches without an address), `credit`, `answer` (`accept`, `release`, `reject`, `modify`, `nothing`, or a list of them
for one message after another, the last one for all others). Then prints one JSON object for each thing that happens. A line
`close` on standard input closes the connection, `credit 5` grants more.
"""

import hashlib
import json
import os
import sys
import threading

from proton import Delivery, Link, SSLDomain
from proton.handlers import MessagingHandler
from proton.reactor import ApplicationEvent, Container, EventInjector

OUTCOMES = {0: "ok", 1: "auth", 2: "sys", 3: "perm", 4: "temp"}


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def condition_of(endpoint):
    condition = endpoint.remote_condition
    return {"condition": condition.name, "description": condition.description} if condition else {}


class Consumer(MessagingHandler):
    def __init__(self, options):
        super().__init__(prefetch=0, auto_accept=False, auto_settle=False, peer_close_is_error=False)
        self.options = options
        answer = options.get("answer", "accept")
        self.answers = answer if isinstance(answer, list) else [answer]
        self.count = 0
        self.links = []

    def on_start(self, event):
        options = self.options
        self.injector = EventInjector()
        event.container.selectable(self.injector)
        threading.Thread(target=self.listen, daemon=True).start()
        extra = {}
        if options.get("ca"):
            domain = SSLDomain(SSLDomain.MODE_CLIENT)
            domain.set_trusted_ca_db(options["ca"])
            domain.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME)
            extra["ssl_domain"] = domain
        # Proton tells its peer half of what it is given.
        idle = options.get("idle")
        self.connection = event.container.connect(
            options["url"],
            user=options.get("username"),
            password=options.get("password"),
            allowed_mechs=options.get("mechanisms", "PLAIN"),
            allow_insecure_mechs=True,
            reconnect=False,
            heartbeat=None if idle is None else 2 * idle,
            **extra,
        )
        for i in range(options.get("receivers", 1)):
            link = event.container.create_receiver(self.connection, options.get("source", "default"), name="receiver-%d" % i)
            if options.get("source", "default") is None:
                link.source.type = 0  # none at all
            link.flow(options.get("credit", 10))
            self.links.append(link)
        for i in range(options.get("senders", 0)):
            event.container.create_sender(self.connection, "anywhere", name="sender-%d" % i)

    def listen(self):
        for line in sys.stdin:
            self.injector.trigger(ApplicationEvent("command", subject=line.strip()))
        self.injector.trigger(ApplicationEvent("command", subject="close"))

    def on_command(self, event):
        word, *rest = event.subject.split()
        if word == "credit":
            self.links[0].flow(int(rest[0]))
        elif word == "close":
            self.injector.close()
            self.connection.close()

    def on_connection_opened(self, event):
        say("connection-open", idle=event.transport.remote_idle_timeout)

    def on_connection_remote_close(self, event):
        say("connection-close", **condition_of(event.connection))
        event.connection.close()

    def on_link_remote_open(self, event):
        say("link-open", link=event.link.name)

    def on_link_remote_close(self, event):
        say("link-close", link=event.link.name, **condition_of(event.link))
        event.link.close()

    # Proton's own handlers close the whole connection for the error of a single link.
    def on_link_error(self, event):
        pass

    def on_session_error(self, event):
        pass

    def on_connection_error(self, event):
        pass

    def on_message(self, event):
        message, delivery = event.message, event.delivery
        body = message.body
        raw = body.tobytes() if isinstance(body, memoryview) else body if isinstance(body, bytes) else str(body).encode()
        properties = message.properties or {}
        say(
            "message",
            id=properties.get("messageId"),
            messageId=message.id,
            topic=properties.get("topic"),
            generateTime=properties.get("generateTime"),
            redelivered=message.delivery_count,
            size=len(raw),
            sha256=hashlib.sha256(raw).hexdigest(),
            body=raw.decode("utf-8", "replace") if len(raw) < 4096 else None,
        )
        answer = self.answers[min(self.count, len(self.answers) - 1)]
        self.count += 1
        if answer == "accept":
            self.settle(delivery, Delivery.ACCEPTED)
        elif answer == "release":
            self.settle(delivery, Delivery.RELEASED)
        elif answer == "reject":
            self.settle(delivery, Delivery.REJECTED)
        elif answer == "modify":
            delivery.local.failed = True
            self.settle(delivery, Delivery.MODIFIED)

    def on_transport_error(self, event):
        condition = event.transport.condition
        say(
            "transport-error",
            condition=condition.name if condition else None,
            description=condition.description if condition else None,
        )

    def on_transport_closed(self, event):
        try:
            outcome = OUTCOMES.get(event.transport.sasl().outcome)
        except Exception:
            outcome = None
        say("closed", sasl=outcome)
        os._exit(0)


Container(Consumer(json.loads(sys.stdin.readline()))).run()
