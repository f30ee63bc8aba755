#!/usr/bin/env python3
"""Measures the terminal UI while a topic is written at a pace: does it keep up, how fast does it answer a key, what does
it cost?

usage: tests/bench/screen.py [--rates 20000,100000,200000] [--seconds 60] [--peer 'command with {broker} and {topic}']

For each rate: makes a topic, opens `evtap open` on it in tmux (120x40), writes the topic by tests/bench/gen.rs for the
time, and meanwhile every second presses a key that changes one word of the screen and times until it is there. Prints a
row a rate: written, shown as scanned by the screen at the end, CPU of the screen's process in per cent of one core,
highest resident memory, bytes a second to the terminal, the median and the longest time to answer a key.
Also times the live filter: the words of a filter are typed over what the buffer holds, until the search is over.
Needs tmux, and the release builds of evtap and bench-gen; starts Kafka by tests/brokers/kafka.sh unless it is up.
Loopback only; stops by itself. EVTAP_BENCH_PORT and EVTAP_BENCH_DATA say where Kafka is.
"""
import argparse, os, re, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = os.environ.get("EVTAP_BENCH_PORT", "28092")
BROKER = "127.0.0.1:" + PORT
TICK, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


def target():
    told = subprocess.run(["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT, capture_output=True, text=True)
    return re.search(r'"target_directory":"([^"]+)"', told.stdout)[1]


class Screen:
    """A program in a tmux of its own."""

    def __init__(self, command):
        self.socket = ["tmux", "-L", f"evtap-bench-{os.getpid()}", "-f", "/dev/null"]
        self.raw = tempfile.NamedTemporaryFile(prefix="evtap-screen-")
        self.tmux("new-session", "-d", "-s", "s", "-x", "120", "-y", "40", "exec " + command)
        self.tmux("pipe-pane", "-o", "-t", "s", f"cat >> {self.raw.name}")
        self.pid = int(self.tmux("list-panes", "-t", "s", "-F", "#{pane_pid}").split()[0])

    def tmux(self, *args):
        return subprocess.run(self.socket + list(args), capture_output=True, text=True).stdout

    def text(self):
        return self.tmux("capture-pane", "-p", "-t", "s")

    def keys(self, *keys):
        self.tmux("send-keys", "-t", "s", *keys)

    def wait(self, found, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found(self.text()):
                return True
            time.sleep(0.02)
        return False

    def cpu(self):
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self):
        return int(open(f"/proc/{self.pid}/statm").read().split()[1]) * PAGE / 2**20

    def close(self):
        self.tmux("kill-server")


def zone(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-2].split()[-1] if len(lines) > 1 and lines[-2].split() else ""


def answer(screen):
    """Presses the key of the time zone, and times until the strip says another."""
    before = zone(screen.text())
    start = time.monotonic()
    screen.keys("z")
    while time.monotonic() - start < 5:
        if zone(screen.text()) not in ("", before):
            return time.monotonic() - start
        time.sleep(0.002)
    return 5.0


def number(text, pattern):
    found = re.search(pattern, text)
    return int(found[1].replace(",", "")) if found else None


def measure(rate, seconds, release, peer):
    topic = f"screen-{rate}-{int(time.time())}"
    make = [f"{release}/examples/bench-gen", f"kafka://{BROKER}/{topic}"]
    subprocess.run(make + ["1000"], check=True, capture_output=True)
    command = peer.format(broker=BROKER, topic=topic) if peer else f"{release}/evtap open kafka://{BROKER}/{topic}"
    screen = Screen(command)
    try:
        if not peer and not screen.wait(lambda t: "LIVE" in t):
            sys.exit("the screen did not come up:\n" + screen.text())
        time.sleep(1)
        writer = subprocess.Popen(make + [str(rate * seconds), "--rate", str(rate)], stderr=subprocess.PIPE, text=True)
        began, cpu, most, answers = time.monotonic(), screen.cpu(), 0, []
        raw = os.path.getsize(screen.raw.name)
        while writer.poll() is None and time.monotonic() - began < 2 * seconds + 10:
            if not peer:
                answers.append(answer(screen))
            most = max(most, screen.memory())
            time.sleep(1)
        took = time.monotonic() - began
        cpu, raw = (screen.cpu() - cpu) / took, (os.path.getsize(screen.raw.name) - raw) / took
        written = number(writer.stderr.read(), r"([\d]+) events")
        time.sleep(1.5)
        text = screen.text()
        row = {"rate": rate, "written": written, "took": took, "cpu": 100 * cpu, "memory": most, "bytes": raw}
        if peer:
            return row, None
        evicted = number(text, r"evicted ([\d,]+)") or 0
        shown = number(text, r"([\d,]+) shown") or 0
        row |= {"came": shown + evicted - 1000, "median": statistics.median(answers), "longest": max(answers)}
        return row, live_filter(screen, shown)
    finally:
        screen.close()


def live_filter(screen, held):
    """Types a filter over what is held, and times until the search is over."""
    screen.keys("Space")
    screen.keys("/")
    screen.tmux("send-keys", "-t", "s", "-l", '.value.eventType=="PaymentFailed" and .value.amount>50')
    screen.wait(lambda t: "searching" not in t and "match" in t.splitlines()[-3:][0])
    start = time.monotonic()
    screen.tmux("send-keys", "-t", "s", "-l", "0")
    time.sleep(0.01)
    screen.wait(lambda t: "searching" not in t)
    return held, time.monotonic() - start


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--rates", default="20000,100000,200000")
    parse.add_argument("--seconds", type=int, default=60)
    parse.add_argument("--peer", help="measure another program: its command line with {broker} and {topic}")
    args = parse.parse_args()
    kafka = os.path.join(ROOT, "tests/brokers/kafka.sh")
    data = os.environ.get("EVTAP_BENCH_DATA", "/tmp/evtap-bench")
    subprocess.run([kafka, "start"], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "EVTAP_KAFKA_PORT": PORT, "EVTAP_BROKERS_DATA": data})
    release = target() + "/release"
    print("| events/s | written | came | CPU of a core | peak MiB | KB/s to the terminal | key: median, longest |")
    print("|---|---|---|---|---|---|---|", flush=True)
    filters = []
    for rate in map(int, args.rates.split(",")):
        row, filtered = measure(rate, args.seconds, release, args.peer)
        answers = f"{1000 * row['median']:.0f} ms, {1000 * row['longest']:.0f} ms" if "median" in row else ""
        print(f"| {row['written'] / row['took']:,.0f} | {row['written']:,} | {row.get('came', 0):,} | {row['cpu']:.0f} % | {row['memory']:.0f} | {row['bytes'] / 1000:.0f} | {answers} |", flush=True)
        filters += [filtered] if filtered else []
    for held, took in filters:
        print(f"live filter over {held:,} events: {1000 * took:.0f} ms")


main()
