#!/usr/bin/env python3
"""Makes the files of this folder on a real Kafka; README.md says how to run it.

For each topic it writes NAME.log (the broker's log segments, as they are on its disk), NAME.jsonl
(the records, as the producer's acknowledgements or librdkafka's consumer give them) and NAME.batches
(the batch headers, as Kafka's own DumpLogSegments prints them).
"""
import base64
import glob
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition, libversion
from confluent_kafka.admin import AdminClient, NewTopic

BROKER = os.environ.get("EVTAP_TEST_KAFKA", "127.0.0.1:21092")
LOGS = pathlib.Path(os.environ["KAFKA_LOG_DIR"])
LIBS = os.environ["KAFKA_LIBS"]
HERE = pathlib.Path(__file__).parent
PREFIX = "codec-fixture-"
T0 = 1_723_717_843_000

ADMIN = AdminClient({"bootstrap.servers": BROKER})


def create(name, **config):
    topic = f"{PREFIX}{name}-{os.getpid()}"
    config = {key.replace("_", "."): value for key, value in config.items()}
    ADMIN.create_topics([NewTopic(topic, 1, 1, config=config)])[topic].result()
    return topic


def b64(data):
    if data is None:
        return None
    data = data.encode() if isinstance(data, str) else data
    if len(data) > 1000:
        return {"len": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return base64.b64encode(data).decode()


def row(offset, timestamp, kind, key, value, headers):
    return {
        "offset": offset,
        "timestamp": timestamp,
        "timestamp_type": kind,
        "key": b64(key),
        "value": b64(value),
        "headers": [[b64(name), b64(value)] for name, value in headers],
    }


# Null and empty, binary, a repeated header, a null header value, and one value of several
# compression blocks.
RECORDS = [
    (b"order-1", b'{"eventType":"OrderPlaced","amount":10.50}', [("ce_id", b"ord-1")]),
    (None, b"null key", []),
    (b"", b"empty key", []),
    (b"tombstone", None, []),
    (b"empty value", b"", []),
    (b"\x00\xff\xfe", bytes(range(256)), []),
    (b"headers", b"v", [("a", b"1"), ("b", None), ("a", b"2"), ("", b""), ("\u00e4", b"\xff")]),
    (b"large", b"".join(b"line %06d of a value that compresses\n" % i for i in range(4000)), []),
    ("schl\u00fcssel".encode(), "\u2713 text".encode(), []),
]


def produce(topic, records, **config):
    """Sends the records in one batch where the client can; returns the rows that were stored."""
    sent = []

    def stored(record, error, message):
        if error:
            sys.exit(f"{topic}: {error}")
        kind, timestamp = message.timestamp()
        key, value, headers = record
        sent.append(row(message.offset(), timestamp, "create append".split()[kind - 1], key, value, headers))

    producer = Producer({"bootstrap.servers": BROKER, "linger.ms": 200, **config})
    for i, record in enumerate(records):
        key, value, headers = record
        producer.produce(
            topic, value, key, partition=0, timestamp=T0 + 1000 * i, headers=headers,
            on_delivery=lambda error, message, record=record: stored(record, error, message),
        )
    if producer.flush(30):
        sys.exit(f"{topic}: not all was acknowledged")
    return sorted(sent, key=lambda row: row["offset"])


def consume(topic):
    """Every record that is left, aborted ones too, as librdkafka reads them."""
    consumer = Consumer({
        "bootstrap.servers": BROKER, "group.id": "codec-fixture", "enable.auto.commit": False,
        "isolation.level": "read_uncommitted", "enable.partition.eof": True, "check.crcs": True,
    })
    consumer.assign([TopicPartition(topic, 0, 0)])
    rows = []
    while True:
        message = consumer.poll(10)
        if message is None:
            sys.exit(f"{topic}: nothing to read")
        if message.error():
            break
        kind, timestamp = message.timestamp()
        rows.append(row(message.offset(), timestamp, "create append".split()[kind - 1],
                        message.key(), message.value(), message.headers() or []))
    consumer.close()
    return rows


def segments(topic):
    return sorted(glob.glob(str(LOGS / f"{topic}-0" / "*.log")))


def keep(name, topic, rows):
    files = segments(topic)
    (HERE / f"{name}.log").write_bytes(b"".join(pathlib.Path(file).read_bytes() for file in files))
    with open(HERE / f"{name}.jsonl", "w") as out:
        for line in rows:
            out.write(json.dumps(line) + "\n")
    dump = subprocess.run(
        ["java", "-cp", f"{LIBS}/*", "kafka.tools.DumpLogSegments", "--files", ",".join(files)],
        capture_output=True, text=True, check=True,
    ).stdout
    with open(HERE / f"{name}.batches", "w") as out:
        for line in dump.splitlines():
            if line.startswith("baseOffset:"):
                # The position is that in the one segment.
                out.write(re.sub(r"position: \d+ ", "", line) + "\n")
    print(f"{name}: {len(rows)} records, {(HERE / f'{name}.log').stat().st_size} bytes")


def by_client():
    """Compressed by librdkafka."""
    for codec in "none gzip snappy lz4 zstd".split():
        topic = create(f"client-{codec}")
        rows = produce(topic, RECORDS, **{"compression.type": codec})
        if consume(topic) != rows:
            sys.exit(f"{topic}: read back is not what was sent")
        keep(f"client-{codec}", topic, rows)


def by_broker():
    """Compressed again by the broker, with Java's libraries."""
    for codec in "gzip snappy lz4 zstd".split():
        topic = create(f"broker-{codec}", compression_type=codec)
        rows = produce(topic, RECORDS)
        if consume(topic) != rows:
            sys.exit(f"{topic}: read back is not what was sent")
        keep(f"broker-{codec}", topic, rows)


def by_kcat():
    topic = create("kcat")
    for codec in "none gzip snappy lz4 zstd".split():
        lines = "".join(f"{codec}-{i}:value {i} by kcat\n" for i in range(20))
        subprocess.run(
            ["kcat", "-P", "-b", BROKER, "-t", topic, "-p", "0", "-K:", "-H", f"codec={codec}"]
            + ([] if codec == "none" else ["-z", codec]),
            input=lines.encode(), check=True,
        )
    keep("kcat", topic, consume(topic))


def append_time():
    topic = create("append-time", message_timestamp_type="LogAppendTime")
    keep("append-time", topic, produce(topic, RECORDS[:5], **{"compression.type": "lz4"}))


def transactions():
    """Committed, aborted, and outside of any transaction; one producer is fenced by the next."""
    topic = create("transactions")
    produce(topic, RECORDS[:2])
    producer = Producer({"bootstrap.servers": BROKER, "transactional.id": topic, "linger.ms": 200})
    producer.init_transactions(30)
    for number, commit in enumerate([True, False, True]):
        producer.begin_transaction()
        for i in range(3):
            producer.produce(topic, f"transaction {number}", f"key-{i}", partition=0, timestamp=T0 + number)
        producer.flush(30)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)
    produce(topic, RECORDS[:1], **{"enable.idempotence": True})
    keep("transactions", topic, consume(topic))


def wait_for_cleaner(topic, done):
    for _ in range(240):
        time.sleep(1)
        rows = consume(topic)
        if done(rows):
            return rows
    sys.exit(f"{topic}: the cleaner did not run")


def compacted():
    """Holes in a batch, a batch that lost all its records, tombstones with and without their time
    to go, and the markers of a transaction."""
    topic = create(
        "compacted", cleanup_policy="compact", segment_ms="1000", min_cleanable_dirty_ratio="0.001",
        delete_retention_ms="86400000",
    )
    idempotent = {"enable.idempotence": True}
    for turn in range(3):
        # Only the newest of each key stays: holes.
        records = [(b"key-%d" % (i % 4 + turn * 2), b"turn %d, %d" % (turn, i), []) for i in range(12)]
        produce(topic, records, **{"compression.type": "lz4"}, **idempotent)
    # All of it is replaced by the next producer: an empty batch stays for the sequence number.
    produce(topic, [(b"gone", b"replaced", [])], **idempotent)
    produce(topic, [(b"gone", None, []), (b"key-1", None, [])], **idempotent)
    producer = Producer({"bootstrap.servers": BROKER, "transactional.id": topic})
    producer.init_transactions(30)
    for commit in (True, False):
        producer.begin_transaction()
        producer.produce(topic, b"in a transaction", b"key-2", partition=0, timestamp=T0)
        producer.flush(30)
        (producer.commit_transaction if commit else producer.abort_transaction)(30)
    time.sleep(1.5)
    produce(topic, [(b"roll", b"the segment", [])])
    time.sleep(1.5)
    produce(topic, [(b"roll", b"it again", [])])
    rows = wait_for_cleaner(topic, lambda rows: len(rows) < 15)
    # A second pass sets the time at which tombstones go.
    time.sleep(20)
    produce(topic, [(b"roll", b"once more", [])])
    time.sleep(20)
    keep("compacted", topic, consume(topic))
    return rows


if __name__ == "__main__":
    print(f"librdkafka {libversion()[0]}")
    for make in (by_client, by_broker, by_kcat, append_time, transactions, compacted):
        make()
