#!/usr/bin/env python3
"""Writes events by the reference serializers of Confluent's Python client, and prints what each of them says.

usage: write.py BROKER REGISTRY PREFIX

Three topics, PREFIX-avro, PREFIX-json and PREFIX-protobuf, of one partition: several versions, references to other
schemas, logical types, nested messages. One JSON line an event on standard output: {"topic", "offset", "value"}, the
value as evtap is to show it.
"""
import base64, datetime, decimal, json, re, sys, uuid

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

broker, url, prefix = sys.argv[1:]
registry = SchemaRegistryClient({"url": url})
producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})
offsets = {}


def topic(kind):
    name = f"{prefix}-{kind}"
    admin = AdminClient({"bootstrap.servers": broker})
    for made in admin.create_topics([NewTopic(name, 1, 1)]).values():
        made.result()
    return name


def write(name, serializer, given, shown, key=None):
    value = serializer(given, SerializationContext(name, MessageField.VALUE)) if given is not None else None
    producer.produce(name, value=value, key=key, partition=0)
    line = json.dumps({"topic": name, "offset": offsets.get(name, 0), "value": shown})
    # Decimals are numbers with their digits, which Python's json cannot write.
    print(re.sub(r'"@(-?[0-9.]+)@"', r"\1", line))
    offsets[name] = offsets.get(name, 0) + 1


def avro():
    name = topic("avro")
    address = {"type": "record", "name": "Address", "namespace": "shop.common", "fields": [
        {"name": "street", "type": "string"}, {"name": "zip", "type": ["null", "string"], "default": None}]}
    registry.register_schema(f"{prefix}-address", Schema(json.dumps(address), "AVRO"))
    reference = SchemaReference("shop.common.Address", f"{prefix}-address", 1)
    fields = [
        {"name": "id", "type": "long"},
        {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "trace", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
        {"name": "ship_to", "type": ["null", "shop.common.Address"], "default": None},
        {"name": "items", "type": {"type": "array", "items": {"type": "record", "name": "Item", "fields": [
            {"name": "sku", "type": "string"}, {"name": "price", "type": "double"}]}}},
        {"name": "tags", "type": {"type": "map", "values": ["null", "string", "int"]}},
        {"name": "raw", "type": "bytes"},
        {"name": "ratio", "type": "float"},
        {"name": "ok", "type": "boolean"},
    ]
    def schema(fields):
        return Schema(json.dumps({"type": "record", "name": "Order", "namespace": "shop", "fields": fields}), "AVRO",
                      [reference])
    first = AvroSerializer(registry, schema(fields))
    later = fields + [{"name": "currency", "type": "string", "default": "EUR"}]
    second = AvroSerializer(registry, schema(later))
    at = datetime.datetime(2024, 8, 15, 10, 30, 43, 123000, tzinfo=datetime.timezone.utc)
    for i in range(20):
        trace = uuid.UUID(int=i)
        total = decimal.Decimal(i * 1999 - 5) / 100
        address = {"street": f"Straße {i}", "zip": None if i % 2 else "10115"}
        items = [{"sku": f"SKU-{n}", "price": 0.1 * n} for n in range(i % 4)]
        tags = {"a": None, "b": "x\u202e", "c": i}
        order = {"id": 2**53 + i, "total": total, "day": at.date(), "at": at, "trace": str(trace), "state": "PAID",
                 "ship_to": address if i % 3 else None, "items": items, "tags": tags, "raw": bytes([0, 255, i]),
                 "ratio": 0.5, "ok": i % 2 == 0}
        shown = dict(order, total=f"@{total:.2f}@", day="2024-08-15", at="2024-08-15T10:30:43.123Z",
                     raw=base64.b64encode(order["raw"]).decode())
        if i < 10:
            write(name, first, order, shown)
        else:
            write(name, second, dict(order, currency="USD"), dict(shown, currency="USD"))
    write(name, first, None, None)


def json_schema():
    name = topic("json")
    item = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Item", "type": "object",
            "required": ["sku"], "properties": {"sku": {"type": "string"}, "price": {"type": "number"}}}
    registry.register_schema(f"{prefix}-item", Schema(json.dumps(item), "JSON"))
    reference = SchemaReference("item.json", f"{prefix}-item", 1)
    def schema(extra):
        return Schema(json.dumps({
            "$schema": "http://json-schema.org/draft-07/schema#", "title": "Order", "type": "object",
            "required": ["id", "items"], "additionalProperties": False, "properties": {
                "id": {"type": "integer"}, "note": {"type": "string"}, "items": {"type": "array", "items": {"$ref": "item.json"}}, **extra}}),
            "JSON", [reference])
    for version, extra in enumerate([{}, {"currency": {"type": "string"}}]):
        serializer = JSONSerializer(schema(extra), registry)
        for i in range(10):
            order = {"id": i, "items": [{"sku": f"SKU-{i}", "price": 1.25 * i}], "note": "é\u0007"}
            if version:
                order["currency"] = "EUR"
            write(name, serializer, order, order)


def protobuf():
    name = topic("protobuf")
    pool = descriptor_pool.DescriptorPool()
    stamp = descriptor_pb2.FileDescriptorProto()
    timestamp_pb2.DESCRIPTOR.CopyToProto(stamp)
    pool.Add(stamp)
    field = descriptor_pb2.FieldDescriptorProto

    def add(message, name, number, type_, label=field.LABEL_OPTIONAL, of=None):
        added = message.field.add(name=name, number=number, type=type_, label=label)
        if of:
            added.type_name = of

    common = descriptor_pb2.FileDescriptorProto(name=f"{prefix}-common.proto", package="shop.common", syntax="proto3")
    money = common.message_type.add(name="Money")
    add(money, "units", 1, field.TYPE_INT64)
    add(money, "code", 2, field.TYPE_STRING)
    pool.Add(common)
    orders = descriptor_pb2.FileDescriptorProto(name=f"{prefix}-orders.proto", package="shop", syntax="proto3",
                                               dependency=[common.name, stamp.name])
    orders.message_type.add(name="First").field.add(name="unused", number=1, type=field.TYPE_INT32)
    order = orders.message_type.add(name="Order")
    item = order.nested_type.add(name="Item")
    add(item, "sku", 1, field.TYPE_STRING)
    add(item, "count", 2, field.TYPE_UINT32)
    state = order.enum_type.add(name="State")
    state.value.add(name="UNKNOWN", number=0)
    state.value.add(name="PAID", number=1)
    add(order, "id", 1, field.TYPE_INT64)
    add(order, "total", 2, field.TYPE_MESSAGE, of=".shop.common.Money")
    add(order, "placed_at", 3, field.TYPE_MESSAGE, of=".google.protobuf.Timestamp")
    add(order, "state", 4, field.TYPE_ENUM, of=".shop.Order.State")
    add(order, "items", 5, field.TYPE_MESSAGE, field.LABEL_REPEATED, ".shop.Order.Item")
    add(order, "numbers", 6, field.TYPE_SINT32, field.LABEL_REPEATED)
    add(order, "raw", 7, field.TYPE_BYTES)
    add(order, "ratio", 8, field.TYPE_DOUBLE)
    pool.Add(orders)
    message = lambda full: message_factory.GetMessageClass(pool.FindMessageTypeByName(full))
    Order, Item = message("shop.Order"), message("shop.Order.Item")
    serializer = ProtobufSerializer(Order, registry, {"use.deprecated.format": False})
    nested = ProtobufSerializer(Item, registry, {"use.deprecated.format": False})
    for i in range(10):
        given = Order(id=-i, state=i % 2, numbers=[-1, 0, i], raw=bytes([i, 255]), ratio=i / 4)
        given.total.units, given.total.code = 2**40 + i, "EUR"
        given.placed_at.seconds = 1723717843 + i
        for n in range(i % 3):
            given.items.add(sku=f"SKU-{n}", count=n)
        write(name, serializer, given, {
            "id": -i, "total": {"units": 2**40 + i, "code": "EUR"},
            "placed_at": datetime.datetime.fromtimestamp(1723717843 + i, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "state": ["UNKNOWN", "PAID"][i % 2], "items": [{"sku": f"SKU-{n}", "count": n} for n in range(i % 3)],
            "numbers": [-1, 0, i], "raw": base64.b64encode(given.raw).decode(), "ratio": i / 4})
    # A nested message has more than one index.
    for i in range(5):
        write(name, nested, Item(sku="x", count=i), {"sku": "x", "count": i})


avro()
json_schema()
protobuf()
if producer.flush(30):
    sys.exit("not all events were stored")
