"""Runs commands beside each other and tells their times: what a benchmark needs, and nothing of what is measured."""
import os, statistics, subprocess, sys, threading, time


class Took:
    """What one run took: seconds of wall time and CPU, MiB of the largest process."""
    def __init__(self, wall, cpu, peak):
        self.wall, self.cpu, self.peak = wall, cpu, peak


def peak_of(pid):
    """The largest VmHWM of a process and its children, in KiB. What wait4 tells counts the pages of whoever
    started the process too, so a small program would look as large as this one."""
    try:
        with open(f"/proc/{pid}/status") as status:
            own = next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return max([own, *(peak_of(child) for child in children.read().split())])
    except OSError:
        return 0


def run(command, watch=0.02):
    """Runs a shell command, its output thrown away. `watch` is how often memory is looked at, in seconds; with
    None it is not."""
    start = time.monotonic()
    child = subprocess.Popen(["bash", "-o", "pipefail", "-c", command], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak, over = [0], threading.Event()

    def look():
        while not over.wait(watch):
            peak[0] = max(peak[0], peak_of(child.pid))

    watcher = threading.Thread(target=look)
    if watch:
        watcher.start()
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    over.set()
    if watch:
        watcher.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"failed with {child.returncode}: {command}\n{errors.decode(errors='replace')}")
    return Took(wall, usage.ru_utime + usage.ru_stime, peak[0] / 1024)


def rounds(commands, count, fewer={}, watch=0.02, before={}):
    """Runs all commands in turn, so many times: a ratio is formed inside a round. `fewer` names those for which
    that many rounds are enough; they are not warmed up either. `before` has what is run ahead of some, untimed."""
    def prepare(name):
        if name in before:
            run(before[name], None)

    for name, command in commands.items():
        if name not in fewer:
            prepare(name)
            run(command, None)
    results = {name: [] for name in commands}
    for round_ in range(count):
        for name, command in commands.items():
            if round_ < fewer.get(name, count):
                prepare(name)
                results[name].append(run(command, watch))
    return results


def spread(values, digits=3):
    """The median, and the least and the most of them."""
    median = f"{statistics.median(values):.{digits}f}"
    return median if len(values) == 1 else f"{median} [{min(values):.{digits}f}-{max(values):.{digits}f}]"


def ratios(results, ours, peer):
    return [a.wall / b.wall for a, b in zip(results[ours], results[peer])]


def table(head, rows):
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def times(results):
    """The table of what each case took."""
    table(["case", "wall s", "CPU s", "peak MiB"], [
        [name.replace("|", "\\|"), spread([t.wall for t in took]), f"{statistics.median(t.cpu for t in took):.2f}",
         f"{max(t.peak for t in took):.0f}" if any(t.peak for t in took) else ""]
        for name, took in results.items() if took])
