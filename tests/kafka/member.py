#!/usr/bin/env python3
"""A member of a consumer group in a process of its own, for tests that stop it.

  member.py HOST GROUP TOPIC PROTOCOL [NAME=VALUE...]

Commits every event that it is given. Prints a line `has P P ...` when its partitions change, and
`took P OFFSET` when the commit of an event is done. Ends with the process that started it.
"""
import ctypes
import signal
import sys

from confluent_kafka import Consumer

PR_SET_PDEATHSIG = 1

try:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
except AttributeError:
    pass  # elsewhere than on Linux the one who started it has to kill it

host, group, topic, protocol, *more = sys.argv[1:]
consumer = Consumer({
    "bootstrap.servers": host,
    "group.id": group,
    "group.protocol": protocol,
    "client.id": "stopped-member",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    **dict(pair.split("=", 1) for pair in more),
})
consumer.subscribe([topic])
had = None
while True:
    event = consumer.poll(0.1)
    has = sorted(p.partition for p in consumer.assignment())
    if has != had:
        had = has
        print("has", *has, flush=True)
    if event is None:
        continue
    if event.error():
        sys.exit("%s" % event.error())
    consumer.commit(message=event, asynchronous=False)
    print("took", event.partition(), event.offset(), flush=True)
