#!/usr/bin/env python3
"""Times evtap beside kcat, jq and ripgrep on a real Kafka, and prints the ratios.

usage: tests/bench/run.py [--events 2000000] [--rounds 5] [--only P1,P3] [--no-build] [--keep]

Builds the release binary and the generator, starts Kafka by tests/brokers/kafka.sh on ports of its own,
loads the topic `orders` (lz4, 6 partitions), then runs the cases in turn inside each round (A B C, A B C):
a ratio is formed pair by pair inside a round, so that what else the machine does cancels out. Wall time is
that of the whole process; memory is the peak of the process itself. Needs kcat; jq and rg for their rows.
Loopback only; stops by itself.
"""
import argparse, os, re, shutil, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = os.environ.get("EVTAP_BENCH_PORT", "28092")
BROKER = "127.0.0.1:" + PORT
TUNED = "-X fetch.wait.max.ms=10 -X fetch.message.max.bytes=8388608 -X queued.max.messages.kbytes=524288"
WHERE = '.value.eventType=="PaymentFailed" and .value.amount>500'
JQ = 'select(.eventType=="PaymentFailed" and .amount>500)'


def cases(evtap, topic):
    kcat = f"kcat -q -b {BROKER} -C -o beginning -e -t {topic}"
    read = f"{evtap} read -q kafka://{BROKER}/{topic}"
    return {
        "kcat": kcat,
        "kcat tuned": f"{kcat} {TUNED}",
        "kcat -J": f"{kcat} -J",
        "kcat|jq": f"{kcat} | jq -c '{JQ}'",
        "kcat|rg|jq": f"""{kcat} | rg -F '"eventType":"PaymentFailed"' | jq -c '{JQ}'""",
        "filter": f"{read} -o raw -w '{WHERE}'",
        "filter jsonl": f"{read} -o jsonl -w '{WHERE}'",
        "raw": f"{read} -o raw",
        "jsonl": f"{read} -o jsonl",
        "kcat newest": f"kcat -q -b {BROKER} -C -t {topic} -p 0 -o -1 -c 1",
        "newest": f"{evtap} read -q kafka://{BROKER}/{topic} -p 0 --last 1",
        "kcat -L": f"kcat -q -b {BROKER} -L",
        "topics": f"{evtap} topics kafka://{BROKER}",
    }


# goal: our case, the peer, the ratio that the contract wants, what it is
GOALS = [
    ("P1", "filter", "kcat", "filtered scan against kcat printing everything"),
    ("P1", "filter", "kcat tuned", "the same against kcat with tuned fetches"),
    ("P1", "filter", "kcat|rg|jq", "the same against the expert's pipe"),
    ("P1", "filter", "kcat|jq", "the same against the usual pipe"),
    ("P2", "raw", "kcat", "all values printed"),
    ("P3", "jsonl", "kcat -J", "everything as JSON lines"),
    ("P7", "newest", "kcat newest", "cold start to the newest event of a partition"),
    ("P7", "topics", "kcat -L", "cold start to the list of topics"),
]
SLOW = {"kcat|jq": 1, "kcat -J": 3}  # rounds that are enough


def run(command):
    """Wall seconds, CPU seconds and peak MiB of the largest process of a shell command."""
    start = time.monotonic()
    child = subprocess.Popen(["bash", "-o", "pipefail", "-c", command], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"failed with {child.returncode}: {command}\n{errors.decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def sh(command, **more):
    return subprocess.run(["bash", "-c", command], cwd=ROOT, check=True, **more)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="goals, a comma list: P1,P3")
    parser.add_argument("--no-build", action="store_true", help="take the release binary that is there")
    parser.add_argument("--keep", action="store_true", help="leave Kafka and its data there for the next run")
    args = parser.parse_args()
    if not shutil.which("kcat"):
        sys.exit("kcat is not installed; it is what we measure against")
    target = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")
    if not args.no_build:
        sh("cargo build --release --bin evtap --example bench-gen")
    meta = subprocess.run(["cargo", "metadata", "--format-version=1", "--no-deps"], cwd=ROOT, capture_output=True, text=True)
    found = re.search(r'"target_directory":"([^"]+)"', meta.stdout)
    target = found.group(1) if found else target
    evtap, gen = f"{target}/release/evtap", f"{target}/release/examples/bench-gen"
    data = os.environ.get("EVTAP_BENCH_DATA") or os.path.join(tempfile.gettempdir(), "evtap-bench")
    env = dict(os.environ, EVTAP_KAFKA_PORT=PORT, EVTAP_BROKERS_DATA=data, EVTAP_KAFKA_HEAP="1g")
    sh("tests/brokers/kafka.sh start >/dev/null", env=env)
    try:
        topic = f"orders-{args.events}"
        listed = subprocess.run([evtap, "topics", f"kafka://{BROKER}/{topic}"], capture_output=True, text=True)
        if listed.returncode != 0:
            sh(f"{gen} kafka://{BROKER}/{topic}?compression.type=lz4 {args.events} 6")
        measure(evtap, topic, args)
    finally:
        if not args.keep:
            sh("tests/brokers/kafka.sh stop", env=env)


def measure(evtap, topic, args):
    wanted = args.only.split(",") if args.only else None
    goals = [g for g in GOALS if not wanted or g[0] in wanted]
    goals = [g for g in goals if ("jq" not in g[2] or shutil.which("jq")) and ("rg" not in g[2] or shutil.which("rg"))]
    names = list(dict.fromkeys(n for g in goals for n in (g[1], g[2])))
    if not wanted or "P8" in wanted:
        names += [n for n in ("filter", "raw", "jsonl") if n not in names]
    commands = cases(evtap, topic)
    results = {name: [] for name in names}
    for warm in names:
        if warm not in SLOW:
            run(commands[warm])
    for round_ in range(args.rounds):
        for name in names:
            if round_ < SLOW.get(name, args.rounds):
                results[name].append(run(commands[name]))
    print(f"{args.events:,} events, {args.rounds} rounds, median [least-most]\n")
    print("| case | wall s | CPU s | peak MiB |\n|---|---|---|---|")
    for name in names:
        walls = [r[0] for r in results[name]]
        print(f"| {name} | {statistics.median(walls):.3f} [{min(walls):.3f}-{max(walls):.3f}] "
              f"| {statistics.median(r[1] for r in results[name]):.2f} | {max(r[2] for r in results[name]):.0f} |")
    print("\n| goal | ratio | what |\n|---|---|---|")
    for goal, ours, peer, what in goals:
        ratios = [a[0] / b[0] for a, b in zip(results[ours], results[peer])]
        print(f"| {goal} | {statistics.median(ratios):.3f} [{min(ratios):.3f}-{max(ratios):.3f}] | {what} ({ours} / {peer}) |")
    peak = max(r[2] for n in ("filter", "raw", "jsonl") if n in results for r in results[n])
    print(f"| P8 | {peak:.0f} MiB | the largest of our scans |")


if __name__ == "__main__":
    main()
