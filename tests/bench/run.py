#!/usr/bin/env python3
"""Times evtap beside kcat, librdkafka, jq and ripgrep on a real Kafka, and prints the ratios.

usage: tests/bench/run.py [--events 2000000] [--rounds 5] [--only P1,P3,codecs] [--no-build] [--keep]

Builds the release binary and the generator, starts Kafka by tests/brokers/kafka.sh on ports of its own, makes the
topics that are missing, then runs the cases in turn inside each round (A B C, A B C): a ratio is formed pair by pair
inside a round, so that what else the machine does cancels out. Wall time is that of the whole process; memory is
VmHWM of the process itself. Parts: P1 P2 P3 P4 P5 P7 P8 P11 P12 (goals), codecs sizes partitions compacted (shapes of data).
Topics stay for the next run with --keep, under the names of what they hold. Needs kcat; jq and rg for their rows.
Loopback only; stops by itself. EVTAP_BENCH_PORT and EVTAP_BENCH_DATA say where Kafka is.
"""
import argparse, json, os, shutil, subprocess, sys, tempfile, time

from measure import ratios, rounds, run, spread, table, times

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = os.environ.get("EVTAP_BENCH_PORT", "28092")
BROKER = "127.0.0.1:" + PORT
TUNED = "-X fetch.wait.max.ms=10 -X fetch.message.max.bytes=8388608 -X queued.max.messages.kbytes=524288"
WHERE = '.value.eventType=="PaymentFailed" and .value.amount>500'
JQ = 'select(.eventType=="PaymentFailed" and .amount>500)'
RG = '''"eventType":"PaymentFailed".*"amount":[5-9][0-9][0-9]\\.'''
GOALS = ["P1", "P2", "P3", "P4", "P5", "P7", "P8", "P11", "P12"]
SHAPES = ["codecs", "sizes", "partitions", "compacted"]

# goal: our case, the peer, the ratio that is wanted, what it is
RATIOS = [
    ("P1", "filter", "kcat", 0.20, "filtered scan against kcat printing everything"),
    ("P1", "filter", "kcat tuned", 0.30, "the same against kcat with tuned fetches"),
    ("P1", "filter", "kcat|rg|jq", None, "the same against the expert's pipe"),
    ("P1", "filter", "kcat|jq", 0.02, "the same against the usual pipe"),
    ("P1", "filter", "filter rdkafka", None, "the direct reader against librdkafka below the same filter"),
    ("P2", "count", "librdkafka", 0.20, "everything scanned and counted against librdkafka doing so"),
    ("P2", "raw", "kcat", None, "all values printed"),
    ("P3", "jsonl", "kcat -J", 0.08, "everything as JSON lines"),
    ("P3", "jsonl", "jsonl rdkafka", None, "the direct reader against librdkafka below the same format"),
    ("P4", "copy", "kcat|kcat", 0.75, "everything copied exactly once, nothing lost of it, and verified"),
    ("P5", "replay", "kcat|rg|kcat", 0.25, "the filtered 1 % copied to another topic"),
    ("P7", "newest", "kcat newest", 1.0, "cold start to the newest event of a partition"),
    ("P7", "topics", "kcat -L", 1.0, "cold start to the list of topics"),
    ("P11", "check order", "count", 2.0, "order, gaps, duplicates of everything against the plain scan"),
    ("P11", "check sagas", "count", 2.0, "the same and the sagas of a model, whose steps stand in values"),
    ("P11", "check", "count", None, "the same with every value looked at"),
]
SLOW = {"kcat|jq": 1, "kcat -J": 3}  # rounds that are enough


class Bench:
    """The tools, the broker and what was asked for."""

    def __init__(self, args, target):
        self.args = args
        self.evtap = f"{target}/release/evtap"
        self.gen = f"{target}/release/examples/bench-gen"
        self.floor = f"{target}/release/examples/bench-floor"
        self.wanted = set(args.only.split(",")) if args.only else set(GOALS + SHAPES)

    def begin(self):
        """Once the broker is there: what this build can do, and which topics exist."""
        listed = subprocess.run([self.evtap, "topics", f"kafka://{BROKER}"], check=True, capture_output=True, text=True)
        self.there = set(word for line in listed.stdout.splitlines() for word in line.split()[:1])
        probe = [self.evtap, "topics", "-X", "evtap.reader=rdkafka", f"kafka://{BROKER}"]
        self.two_readers = subprocess.run(probe, capture_output=True).returncode == 0

    def topic(self, count, codec="lz4", size=0, partitions=6, compacted=False, orders=False):
        """The topic with such events; made when it is not there."""
        more = [word for word, wanted in (("compacted", compacted), ("orders", orders)) if wanted]
        name = "-".join([f"bench-{count}-{codec}-{size or 'usual'}b-{partitions}p", *more])
        if name not in self.there:
            subprocess.run([self.gen, f"kafka://{BROKER}/{name}", str(count), "--codec", codec, "--size", str(size),
                            "--partitions", str(partitions), *(f"--{word}" for word in more)],
                           check=True, stderr=subprocess.DEVNULL)
            self.there.add(name)
        return name

    def cases(self, topic):
        kcat = f"kcat -q -b {BROKER} -C -o beginning -e -t {topic}"
        read = f"{self.evtap} read -q kafka://{BROKER}/{topic}"
        old = f"{read} -X evtap.reader=rdkafka"
        commands = {
            "kcat": kcat,
            "kcat tuned": f"{kcat} {TUNED}",
            "kcat -J": f"{kcat} -J",
            "kcat|jq": f"{kcat} | jq -c '{JQ}'",
            "kcat|rg|jq": f"""{kcat} | rg -F '"eventType":"PaymentFailed"' | jq -c '{JQ}'""",
            "librdkafka": f"{self.floor} {BROKER} {topic}",
            "filter": f"{read} -o raw -w '{WHERE}'",
            # Every event is looked at, none is kept: the closing summary has the count.
            "count": f"{read} -o raw -w false",
            "raw": f"{read} -o raw",
            # Personal data is a finding, so the exit code is 1.
            "check order": f"{self.evtap} check -q --only order -o json kafka://{BROKER}/{topic} || [ $? -le 3 ]",
            "check sagas": f"{self.evtap} check -q --only sagas --saga {ROOT}/tests/bench/orders.saga.yaml -o json "
                           f"kafka://{BROKER}/{topic} || [ $? -le 3 ]",
            "check": f"{self.evtap} check -q -o json kafka://{BROKER}/{topic} || [ $? -le 3 ]",
            "jsonl": f"{read} -o jsonl",
            "filter rdkafka": f"{old} -o raw -w '{WHERE}'",
            "jsonl rdkafka": f"{old} -o jsonl",
            "kcat newest": f"kcat -q -b {BROKER} -C -t {topic} -p 0 -o -1 -c 1",
            "newest": f"{self.evtap} read -q kafka://{BROKER}/{topic} -p 0 --last 1",
            "kcat -L": f"kcat -q -b {BROKER} -L",
            "topics": f"{self.evtap} topics kafka://{BROKER}",
            "kcat|kcat": f"{kcat} -K '\\t' | kcat -q -b {BROKER} -P -t bench-copy-kcat -K '\\t' -z lz4",
            "copy": f"{self.evtap} replay -q --yes --timestamps keep kafka://{BROKER}/{topic} "
                    f"--to kafka://{BROKER}/bench-copy-evtap",
            "kcat|rg|kcat": f"{kcat} | rg '{RG}' | kcat -q -b {BROKER} -P -t bench-copy-kcat",
            "replay": f"{self.evtap} replay -q --yes kafka://{BROKER}/{topic} -w '{WHERE}' "
                      f"--to kafka://{BROKER}/bench-copy-evtap",
        }
        tools = {"jq": "|jq", "rg": "|rg"}
        missing = [mark for tool, mark in tools.items() if not shutil.which(tool)]
        return {name: command for name, command in commands.items()
                if not any(mark in name for mark in missing) and (self.two_readers or "rdkafka" not in name.split())}

    def goals(self, which, count):
        """Runs the cases of some goals, and prints their times and ratios."""
        which = [g for g in which if g in self.wanted]
        commands = self.cases(self.topic(self.args.events, orders="P11" in which))
        compared = [r for r in RATIOS if r[0] in which and r[1] in commands and r[2] in commands]
        if not compared:
            return
        names = dict.fromkeys(name for r in compared for name in (r[2], r[1]))
        watch = None if "P7" in which else 0.02
        before = {name: self.fresh("bench-copy-" + ("kcat" if "kcat" in name else "evtap"))
                  for name in names if {"P4", "P5"} & set(which)}
        results = rounds({name: commands[name] for name in names}, count, SLOW, watch, before)
        times(results)
        table(["goal", "ratio", "wanted", "what"], [
            [goal, spread(ratios(results, ours, peer)), f"≤ {want}" if want else "",
             f"{what} ({ours} / {peer})".replace("|", "\\|")]
            for goal, ours, peer, want, what in compared])

    def fresh(self, name):
        """The command that makes this topic anew, and empty."""
        return f"{self.gen} kafka://{BROKER}/{name} 0 --fresh 2>&1"

    def hosts(self, count):
        """P12: one host applies a plan, then three share one: the processor's time, and who wrote how much."""
        if "P12" not in self.wanted:
            return
        topic, copy = self.topic(self.args.events), "bench-copy-evtap"
        alone, together, least = [], [], []
        with tempfile.TemporaryDirectory() as folder:
            for round_ in range(count):
                for hosts, results in ((1, alone), (3, together)):
                    plan = f"{folder}/{round_}-{hosts}.toml"
                    run(f"{self.fresh(copy)} && {self.evtap} replay -q --timestamps keep --plan-out {plan} "
                        f"kafka://{BROKER}/{topic} --to kafka://{BROKER}/{copy}", None)
                    states = [f"{plan}.host-{host}" for host in range(hosts)]
                    each = " & ".join(f"EVTAP_STATE={state} {self.evtap} apply -q --yes {plan}" for state in states)
                    results.append(run(f"{each} & wait", 0.02))
                    least.append(min(sent(state) for state in states) / self.args.events * hosts)
        times({"one host": alone, "three hosts": together})
        cpu = [b.cpu / a.cpu for a, b in zip(alone, together)]
        table(["goal", "ratio", "wanted", "what"], [
            ["P12", spread(cpu), "≤ 1.15", "the processor's time of three hosts on one plan against one host"],
            ["P12", spread(ratios({"a": together, "b": alone}, "a", "b")), "", "the wall time"],
            ["P12", spread(least[1::2]), "", "what the host wrote that wrote least, of an even share"]])

    def memory(self):
        """P8: the same scans of a quarter of the data and of all of it."""
        if "P8" not in self.wanted:
            return
        counts = [self.args.events // 4, self.args.events]
        topics = [self.topic(count) for count in counts]
        rows = []
        for name in ("filter", "count", "raw", "jsonl", "kcat"):
            peaks = [run(self.cases(topic)[name], 0.002).peak for topic in topics]
            rows.append([name, *(f"{peak:.1f}" for peak in peaks)])
        table(["P8: peak MiB, wanted ≤ 32", *(f"{count:,} events" for count in counts)], rows)

    def shapes(self):
        few = max(self.args.events // 4, 1)
        made = {
            "codecs": [(codec, dict(count=few, codec=codec)) for codec in ("none", "gzip", "snappy", "lz4", "zstd")],
            "sizes": [("100 bytes", dict(count=6 * few, size=100)),
                      ("100 KB", dict(count=max(few // 200, 1), size=100_000))],
            "partitions": [("1 partition", dict(count=few, partitions=1)),
                           ("100 partitions", dict(count=few, partitions=100))],
            "compacted": [("compacted", dict(count=few, compacted=True))],
        }
        rows = []
        for shape in SHAPES:
            for label, options in made[shape] if shape in self.wanted else []:
                rows.append(self.shape(label, options))
        if rows:
            table(["data", "kcat s", "filter / kcat", "raw / kcat", "jsonl / kcat"], rows)

    def shape(self, label, options):
        topic = self.topic(**options)
        if options.get("compacted"):
            left = self.cleaned(topic, options["count"])
            label += f", {left:,} of {options['count']:,} left"
        commands = self.cases(topic)
        results = rounds({n: commands[n] for n in ("kcat", "filter", "raw", "jsonl")}, min(self.args.rounds, 3), {}, None)
        return [label, spread([t.wall for t in results["kcat"]]),
                *(spread(ratios(results, ours, "kcat")) for ours in ("filter", "raw", "jsonl"))]

    def cleaned(self, topic, count):
        """Waits until the cleaner has been there; a topic that is kept was cleaned long ago."""
        with tempfile.NamedTemporaryFile() as summary:
            for _ in range(40):
                run(f"{self.cases(topic)['raw']} --summary {summary.name}", None)
                left = json.load(open(summary.name))["matched"]
                if left < 0.9 * count:
                    return left
                time.sleep(1)
        return left


def sent(state):
    """Events that the one run of this state folder stored."""
    with open(f"{state}/audit.jsonl") as audit:
        return sum(json.loads(line)["counts"]["sent"] for line in audit)


def sh(command, **more):
    return subprocess.run(["bash", "-c", command], cwd=ROOT, check=True, **more)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help=f"parts, a comma list of {' '.join(GOALS + SHAPES)}")
    parser.add_argument("--no-build", action="store_true", help="take the release binaries that are there")
    parser.add_argument("--keep", action="store_true", help="leave Kafka and its data there for the next run")
    args = parser.parse_args()
    unknown = set(args.only.split(",") if args.only else []) - set(GOALS + SHAPES)
    if unknown:
        sys.exit(f"there is no part {' '.join(sorted(unknown))}; there are {' '.join(GOALS + SHAPES)}")
    if not shutil.which("kcat"):
        sys.exit("kcat is not installed; it is what we measure against")
    if not args.no_build:
        sh("cargo build --release --bin evtap --example bench-gen --example bench-floor")
    meta = sh("cargo metadata --format-version=1 --no-deps", capture_output=True, text=True)
    bench = Bench(args, json.loads(meta.stdout)["target_directory"])
    data = os.environ.get("EVTAP_BENCH_DATA") or os.path.join(tempfile.gettempdir(), "evtap-bench")
    # Runs that are measured are none of the user's past ones, and have none of a bench before them.
    state = tempfile.TemporaryDirectory()
    os.environ["EVTAP_STATE"] = state.name
    env = dict(os.environ, EVTAP_KAFKA_PORT=PORT, EVTAP_BROKERS_DATA=data, EVTAP_KAFKA_HEAP="1g")
    sh("tests/brokers/kafka.sh start >/dev/null", env=env)
    try:
        bench.begin()
        print(f"{args.events:,} events, {args.rounds} rounds, median [least-most]")
        bench.goals(["P1", "P2", "P3"], args.rounds)
        bench.goals(["P4"], args.rounds)
        bench.goals(["P5"], min(args.rounds, 3))
        bench.goals(["P7"], 6 * args.rounds)
        bench.goals(["P11"], min(args.rounds, 5))
        bench.hosts(min(args.rounds, 3))
        bench.memory()
        bench.shapes()
    finally:
        state.cleanup()
        if not args.keep:
            sh("tests/brokers/kafka.sh stop", env=env)


if __name__ == "__main__":
    main()
