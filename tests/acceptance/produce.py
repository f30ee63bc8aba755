#!/usr/bin/env python3
"""The other producer, and the other reader: Kafka by confluent-kafka, with nothing of evtap in it.

  produce.py send HOST TOPIC COUNT REFERENCE   creates TOPIC, writes COUNT committed events and some
                                               aborted ones, and the committed ones into REFERENCE
  produce.py create HOST TOPIC                 creates TOPIC and nothing more
  produce.py dump HOST TOPIC REFERENCE         writes what TOPIC holds into REFERENCE
  produce.py grep REFERENCE PATTERN            prints partition/offset of the events that match

A reference has one JSON array a line, each partition in its order:
[partition, offset, timestamp, key, value, [[header name, header value], …]], bytes in base64, null for none.
"""
import base64
import json
import random
import re
import sys
import time

PARTITIONS = 4
LARGE = 1 << 20
COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"]
LIMITS = {"message.max.bytes": 8 << 20}
HOSTILE = ["plain", "\u00e4\u00f6 \u4e2d\u6587 \U0001f600", "tab\there", "esc \x1b[2J", "rlo \u202e", "quote \" \\ /"]


def b64(data):
    return None if data is None else base64.b64encode(data).decode()


def line(partition, offset, timestamp, key, value, headers):
    pairs = [[name, b64(data)] for name, data in headers]
    return json.dumps([partition, offset, timestamp, b64(key), b64(value), pairs]) + "\n"


def event(n, rnd):
    """Key, value and headers of the nth event: every shape that a log may hold, again and again."""
    order = {
        "eventId": "ev-%d" % n,
        "eventType": rnd.choice(["OrderPlaced", "PaymentFailed", "PaymentSucceeded", "Shipped"]),
        "amount": rnd.randrange(0, 100000) / 100,
        "customer": {"id": rnd.randrange(5000), "city": rnd.choice(["Oslo", "Bergen", "K\u00f8benhavn"])},
        "tags": rnd.sample(["new", "vip", "gift", "late"], rnd.randrange(4)),
        "note": rnd.choice(HOSTILE),
    }
    key = b"order-%d" % rnd.randrange(20000)
    value = json.dumps(order, separators=(",", ":"), ensure_ascii=n % 2 == 0).encode()
    headers = [("trace", b"%032x" % rnd.getrandbits(128))]
    shape = n % 40
    if shape == 1:
        key = None
    elif shape == 2:
        value = None
    elif shape == 3:
        value = b""
    elif shape == 4:
        value = rnd.randbytes(rnd.randrange(1, 300))
    elif shape == 5:
        key = rnd.randbytes(16)
    elif shape == 6:
        key, value, headers = None, None, []
    elif shape == 7:
        headers = [("same", b"1"), ("other", b"x"), ("same", None), ("same", b""), ("other", b"\xff\x00")]
    elif shape == 8:
        headers = [("none", None), ("empty", b""), ("binary", rnd.randbytes(20))]
    elif shape == 9:
        value = ("plain text %d, not JSON" % n).encode()
    elif shape == 10:
        key = b""
    elif shape == 11:
        value = rnd.choice([b"null", b"true", b'"text"', b"12345678901234567890", b"1e400", b"0.10", b"[]", b"{}", b" "])
    elif shape == 12:
        value = b'{"half":'
    elif shape == 13:
        value = b"\xef\xbb\xbf" + value
    return key, value, headers


def large(n, rnd):
    body = rnd.randbytes(LARGE) if n % 2 else b'"' + b"x" * (LARGE - 2) + b'"'
    return b"large-%d" % n, body, [("size", b"1 MiB")]


class Sender:
    def __init__(self, host, topic, reference):
        self.host, self.topic, self.out = host, topic, reference
        self.rnd = random.Random(7)
        self.sent = self.aborted = 0
        self.done = {p: [] for p in range(PARTITIONS)}

    def producer(self, **config):
        from confluent_kafka import Producer

        base = {"bootstrap.servers": self.host, "linger.ms": 20, "queue.buffering.max.messages": 500000}
        return Producer({**base, **LIMITS, **config})

    def send(self, producer, key, value, headers, keep):
        partition = self.rnd.randrange(PARTITIONS)
        # Time runs back now and then, as it does where producers have clocks of their own.
        timestamp = 1700000000000 + self.sent * 3 - self.rnd.choice([0, 0, 0, 5000])

        def delivered(error, message):
            if error is not None:
                raise SystemExit("not delivered: %s" % error)
            row = line(partition, message.offset(), timestamp, key, value, headers)
            keep[partition].append((message.offset(), row))

        while True:
            try:
                producer.produce(
                    self.topic, value, key, partition, on_delivery=delivered, timestamp=timestamp, headers=headers
                )
                break
            except BufferError:
                producer.poll(0.05)
        if self.sent % 200 == 0:
            producer.poll(0)

    def plain(self, compression, count):
        producer = self.producer(**{"compression.type": compression, "enable.idempotence": True})
        for _ in range(count):
            self.send(producer, *event(self.sent, self.rnd), self.done)
            self.sent += 1
        for n in range(2):
            self.send(producer, *large(n, self.rnd), self.done)
            self.sent += 1
        self.flush(producer)

    def transactions(self, compression, count):
        producer = self.producer(**{"compression.type": compression, "transactional.id": self.topic})
        producer.init_transactions(30)
        each = max(1, count // 20)
        left, turn = count, 0
        while left:
            turn += 1
            producer.begin_transaction()
            lost = turn % 3 == 0
            rows = {p: [] for p in range(PARTITIONS)}
            size = min(each, left)
            for n in range(size):
                self.send(producer, *event(self.sent + n, self.rnd), rows)
            self.flush(producer)
            if lost:
                producer.abort_transaction(30)
                self.aborted += size
                continue
            producer.commit_transaction(30)
            for p in rows:
                self.done[p] += rows[p]
            self.sent += size
            left -= size

    @staticmethod
    def flush(producer):
        if producer.flush(120):
            raise SystemExit("not all was delivered")

    def finish(self):
        with open(self.out, "w") as out:
            for p in self.done:
                for _, row in sorted(self.done[p], key=lambda r: r[0]):
                    out.write(row)


def create(host, topic):
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": host})
    config = {"max.message.bytes": str(8 << 20), "retention.ms": "-1"}
    admin.create_topics([NewTopic(topic, PARTITIONS, 1, config=config)])[topic].result(30)


def send(host, topic, count, reference):
    count = int(count)
    create(host, topic)
    sender = Sender(host, topic, reference)
    for compression in COMPRESSIONS:
        sender.plain(compression, count // 8)
    sender.transactions("lz4", (count - sender.sent) // 2)
    sender.transactions("none", count - sender.sent)
    sender.finish()
    print(json.dumps({"sent": sender.sent, "aborted": sender.aborted}))


def dump(host, topic, reference):
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    consumer = Consumer(
        {
            "bootstrap.servers": host,
            "group.id": "not-used",
            "enable.auto.commit": False,
            "fetch.message.max.bytes": 4 << 20,
            "fetch.queue.backoff.ms": 5,
        }
    )
    consumer.list_topics(topic, timeout=30)
    parts = range(PARTITIONS)
    ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1] for p in parts}
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in parts])
    rows, began = {p: [] for p in parts}, time.monotonic()

    def behind():
        at = {p.partition: p.offset for p in consumer.position([TopicPartition(topic, p) for p in parts])}
        return any(ends[p] and at[p] < ends[p] for p in parts)

    while behind():
        if time.monotonic() - began > 120:
            raise SystemExit("the topic does not come to its end")
        for m in consumer.consume(5000, timeout=0.2):
            if m.error():
                raise SystemExit(str(m.error()))
            row = line(m.partition(), m.offset(), m.timestamp()[1], m.key(), m.value(), m.headers() or [])
            rows[m.partition()].append(row)
    consumer.close()
    with open(reference, "w") as out:
        for p in parts:
            out.writelines(rows[p])


def grep(reference, pattern):
    wanted = re.compile(pattern.encode())
    with open(reference) as lines:
        for text in lines:
            partition, offset, _, key, value, headers = json.loads(text)
            fields = [key, value] + [data for _, data in headers]
            if any(f is not None and wanted.search(base64.b64decode(f)) for f in fields):
                print("%d/%d" % (partition, offset))


{"send": send, "create": create, "dump": dump, "grep": grep}[sys.argv[1]](*sys.argv[2:])
