#!/usr/bin/env python3
"""Times JSON Schema validation beside ajv (compiled, in node) over the same lines, and prints the ratios.

usage: tests/bench/validate.py [--events 500000 | --lines FILE] [--rounds 3] [--example PATH] [--cache FOLDER]

Makes events of the shape that tests/bench/gen.rs writes (1 in 1000 with an amount that is a string), validates them by
order.schema.json with ajv and with the example bench-validate, in turn inside each round, and forms the ratio inside a
round. Parsing is measured, reading the file is not. Needs node and npm; ajv goes into the cache, outside the repository.
"""
import argparse, json, os, random, statistics, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
AJV = "8.17.1"
GOAL = 0.35
TYPES = ["OrderCreated", "PaymentAuthorized", "PaymentFailed", "InventoryReserved", "OrderShipped", "OrderDelivered",
         "OrderCancelled", "RefundIssued"]
SHARES = [22, 18, 4, 16, 14, 12, 6, 8]
NAMES = ["Ada Lovelace", "Grace Hopper", "Zoë Núñez", "José Müller", "Edsger Dijkstra", "Barbara Liskov", "Radia Perlman",
         "美咲 Turing"]
CITIES = ["Oslo", "Zürich", "São Paulo", "Nairobi"]
NODE = """
const fs = require('fs'), Ajv = require('ajv');
const validate = new Ajv({ strict: false }).compile(JSON.parse(fs.readFileSync(process.argv[2], 'utf8')));
const lines = fs.readFileSync(process.argv[3], 'utf8').split('\\n').filter(line => line);
let invalid = 0;
const started = process.hrtime.bigint();
for (const line of lines) if (!validate(JSON.parse(line))) invalid++;
const took = Number(process.hrtime.bigint() - started) / lines.length;
console.log(`ajv\\t${Math.round(took)}\\t${invalid}`);
"""


def event(n, chance):
    """The event of that number, as gen.rs has it."""
    order, customer = chance.randrange(200_000), chance.randrange(5000)
    amount = chance.randrange(240_000) / 100
    return {
        "eventId": "%08x-%04x-4%03x-a%03x-%012x" % tuple(chance.getrandbits(b) for b in (32, 16, 12, 12, 48)),
        "eventType": chance.choices(TYPES, SHARES)[0], "orderId": f"ORD-{order:08}", "timestamp": 1_760_000_000_000 + 3 * n,
        "sequence": n, "customer": {"id": f"C{customer:06}", "name": chance.choice(NAMES),
                                    "email": f"c.{customer}@example.com", "tier": "silver",
                                    "address": {"city": chance.choice(CITIES), "zip": f"{chance.randrange(99_999):05}"}},
        "amount": str(amount) if n % 1000 == 999 else amount, "currency": "EUR",
        "items": [{"sku": f"SKU-{chance.randrange(99_999):05}", "qty": 1 + chance.randrange(4),
                   "price": chance.randrange(20_000) / 100}],
        "source": {"service": "order-pipeline", "host": f"node-{chance.randrange(16)}",
                   "version": f"2.{chance.randrange(4)}.{chance.randrange(8)}"},
    }


def make(path, events):
    chance = random.Random(42)
    with open(path, "w", encoding="utf-8") as file:
        for n in range(events):
            file.write(json.dumps(event(n, chance), ensure_ascii=False, separators=(",", ":")) + "\n")


def rows(command):
    """What a tool printed: name, nanoseconds, invalid events."""
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: (int(took), int(invalid)) for name, took, invalid in (line.split("\t") for line in out.splitlines())}


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--events", type=int, default=500_000)
    args.add_argument("--lines", help="a file of events, one a line, instead of made ones")
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--example", help="a built bench-validate; else it is built")
    args.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "evtap-bench-ajv"))
    args = args.parse_args()
    os.makedirs(args.cache, exist_ok=True)
    if not os.path.isdir(os.path.join(args.cache, "node_modules", "ajv")):
        subprocess.run(["npm", "install", "--silent", "--prefix", args.cache, f"ajv@{AJV}"], check=True)
    script = os.path.join(args.cache, "validate.js")
    with open(script, "w") as file:
        file.write(NODE)
    lines = args.lines or os.path.join(args.cache, f"orders-{args.events}.jsonl")
    if not os.path.exists(lines):
        make(lines, args.events)
    if not args.example:
        build = ["cargo", "build", "--release", "--no-default-features", "--example", "bench-validate", "--message-format=json"]
        built = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        args.example = next(m["executable"] for m in map(json.loads, built) if m.get("executable"))
    schema = os.path.join(HERE, "order.schema.json")
    rounds = []
    for _ in range(args.rounds):
        rounds.append(rows(["node", script, schema, lines]) | rows([args.example, schema, lines, "1"]))
    invalid = {name: found for name, (_, found) in rounds[0].items() if name != "parse"}
    print(f"{'':24} ns an event   of ajv")
    for name in rounds[0]:
        took = statistics.median(r[name][0] for r in rounds)
        ratio = statistics.median(r[name][0] / r["ajv"][0] for r in rounds)
        print(f"{name:24} {took:11.0f}   {ratio:6.2f}")
    if len(set(invalid.values())) != 1:
        sys.exit(f"they do not agree on what is invalid: {invalid}")
    reached = statistics.median(r["native"][0] / r["ajv"][0] for r in rounds)
    print(f"{'reached' if reached <= GOAL else 'MISSED'}: {reached:.2f}, wanted {GOAL}")


if __name__ == "__main__":
    main()
