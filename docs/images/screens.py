#!/usr/bin/env python3
"""Draws pictures of the screens from the cells of a real terminal.

    cargo build && docs/images/screens.py target/debug/evtap [NAME...]

Runs `evtap demo --frozen` in tmux, presses the keys below, takes the cells with their colours as
tmux holds them, and writes each as docs/images/NAME.svg. Needs tmux 3.2 or newer and Python.
"""

import os
import re
import shlex
import subprocess
import sys
import time
import unicodedata
from html import escape
from pathlib import Path

# name, columns x rows, theme, title, keys; a text to be typed begins with ">".
SCREENS = [
    ("stream", (120, 34), "nord", "The stream with the event under the cursor",
     ["2", ">t", ">orders/0@15", "Enter"]),
    ("filter", (120, 34), "catppuccin-mocha", "A filter being typed",
     ["2", "/", ">.value.data.amount > 70"]),
    ("findings", (120, 34), "dark", "What was found in the demo", ["1"]),
    ("lag", (120, 34), "nord", "How far consumer groups are behind, and why", ["4"]),
    ("order", (120, 34), "gruvbox-dark", "What breaks the order of events", ["5"]),
    ("replay", (120, 34), "catppuccin-mocha", "The plan of a replay",
     ["2", "/", ">order-456 topic:orders", "Enter", ">r", "Enter"]),
]
# The gallery: the same screen in each of these.
THEMES = ["default", "dark", "light", "high-contrast", "catppuccin-mocha", "gruvbox-dark", "solarized-light", "nord"]
GALLERY = ((78, 16), ["2", "/", ">PaymentFailed", "Enter", "space"])

CELL, LINE, MARGIN = 8.4, 18, 14
FOREGROUND, BACKGROUND = "#d5d8df", "#14161b"
SIXTEEN = [
    "#22252b", "#d4626a", "#7fb069", "#d9b35b", "#5a8fd6", "#b07cc6", "#5fb7c5", "#c8ccd4",
    "#5c6370", "#e8848b", "#9fcf8a", "#ecca7d", "#7fadea", "#c99bdc", "#86d3de", "#f2f4f8",
]
SGR = re.compile(r"\x1b\[([0-9;:]*)m")
SOCKET = f"evtap-pictures-{os.getpid()}"


def tmux(*args):
    ran = subprocess.run(["tmux", "-L", SOCKET, "-f", "/dev/null", *args], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


def still():
    """The screen once it stands still."""
    before, since = None, time.monotonic()
    while True:
        time.sleep(0.15)
        now = tmux("capture-pane", "-p", "-e", "-N", "-t", "it")
        if now == before and time.monotonic() - since > 0.6:
            return now
        if now != before:
            before, since = now, time.monotonic()


def screen(program, size, theme, keys):
    """The lines of a screen, with SGR codes, after these keys."""
    home = Path(os.environ.get("TMPDIR", "/tmp")) / SOCKET
    home.mkdir(exist_ok=True)
    env = {"PATH": os.environ["PATH"], "TERM": "tmux-256color", "COLORTERM": "truecolor",
           "HOME": str(home), "XDG_CONFIG_HOME": str(home), "TZ": "UTC"}
    words = ["env", "-i", *(f"{k}={v}" for k, v in env.items()), str(program), "demo", "--frozen", "--theme", theme]
    tmux("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "-s", "it", shlex.join(words))
    try:
        tmux("set-option", "-t", "it", "status", "off")
        tmux("resize-window", "-t", "it", "-x", str(size[0]), "-y", str(size[1]))
        still()
        for key in keys:
            text = key[1:] if key.startswith(">") else None
            tmux("send-keys", "-t", "it", *(["-l", text] if text else [{"space": "Space"}.get(key, key)]))
            time.sleep(0.1)
            shown = still()
        return shown.rstrip("\n").split("\n")
    finally:
        tmux("kill-session", "-t", "it")


def colour(codes):
    """Takes a colour off the front of codes like 38;2;1;2;3 or 38;5;7."""
    if codes[0] == "2":
        r, g, b = (int(c) for c in codes[1:4])
        return f"#{r:02x}{g:02x}{b:02x}", codes[4:]
    index = int(codes[1])
    if index < 16:
        return SIXTEEN[index], codes[2:]
    if index >= 232:
        return f"#{8 + 10 * (index - 232):02x}" + f"{8 + 10 * (index - 232):02x}" * 2, codes[2:]
    level = [0, 95, 135, 175, 215, 255]
    index -= 16
    return "#" + "".join(f"{level[index // n % 6]:02x}" for n in (36, 6, 1)), codes[2:]


class Style:
    def __init__(self):
        self.fg = self.bg = None
        self.bold = self.dim = self.italic = self.underlined = self.reversed = False

    def take(self, text):
        codes = re.split("[;:]", text) if text else ["0"]
        while codes:
            code, codes = int(codes[0] or 0), codes[1:]
            if code == 0:
                self.__init__()
            elif code in (38, 48):
                found, codes = colour(codes)
                setattr(self, "fg" if code == 38 else "bg", found)
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.fg = SIXTEEN[code - 30 if code < 90 else code - 82]
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self.bg = SIXTEEN[code - 40 if code < 100 else code - 92]
            elif code in (39, 49):
                setattr(self, "fg" if code == 39 else "bg", None)
            elif code == 22:
                self.bold = self.dim = False
            elif code in (1, 2, 3, 4, 7):
                setattr(self, {1: "bold", 2: "dim", 3: "italic", 4: "underlined", 7: "reversed"}[code], True)
            elif code in (23, 24, 27):
                setattr(self, {23: "italic", 24: "underlined", 27: "reversed"}[code], False)

    def key(self):
        fg, bg = self.fg or FOREGROUND, self.bg or BACKGROUND
        if self.reversed:
            fg, bg = bg, fg
        return fg, bg, self.bold, self.dim, self.italic, self.underlined


def runs(line, style):
    """Gives (column, columns, text, look) for neighbours that look the same. The style goes on from
    line to line, as tmux says only what changes."""
    column, at, found = 0, 0, []

    def take(text):
        nonlocal column
        for c in text:
            assert c.isprintable(), f"{c!r} would reach a terminal"
            wide = 2 if unicodedata.east_asian_width(c) in "WF" else 1
            # What a font may draw at another width stands alone.
            plain = c.isascii()
            if found and found[-1][3] == style.key() and plain and found[-1][2].isascii():
                found[-1][1] += wide
                found[-1][2] += c
            else:
                found.append([column, wide, c, style.key()])
            column += wide

    for match in SGR.finditer(line):
        take(line[at : match.start()])
        style.take(match[1])
        at = match.end()
    take(line[at:])
    return found


def drawn(lines, left, top):
    """SVG of a screen whose first cell is at left, top."""
    out, style = [], Style()
    for number, line in enumerate(lines):
        y = top + number * LINE
        line_runs = runs(line, style)
        grounds = []
        for column, wide, _, (_, bg, *_) in line_runs:
            if grounds and grounds[-1][2] == bg:
                grounds[-1][1] += wide
            else:
                grounds.append([column, wide, bg])
        for column, wide, bg in grounds:
            if bg != BACKGROUND:
                out.append(
                    f'<rect x="{left + column * CELL:.1f}" y="{y}" width="{wide * CELL:.1f}"'
                    f' height="{LINE}" fill="{bg}" shape-rendering="crispEdges"/>'
                )
        for column, wide, text, (fg, _, bold, dim, italic, underlined) in line_runs:
            if not text.strip():
                continue
            lead = len(text) - len(text.lstrip())
            text = text.strip()
            look = "" if fg == FOREGROUND else f' fill="{fg}"'
            look += ' opacity="0.65"' if dim else ""
            look += ' font-weight="bold"' if bold else ""
            look += ' font-style="italic"' if italic else ""
            look += ' text-decoration="underline"' if underlined else ""
            length = len(text) if len(text) > 1 or text.isascii() else wide
            # The length is given, so that another font keeps the cells.
            out.append(
                f'<text x="{left + (column + lead) * CELL:.1f}" y="{y + 14}"'
                f' textLength="{length * CELL:.1f}" lengthAdjust="spacingAndGlyphs"{look}>{escape(text)}</text>'
            )
    return out


def svg(title, width, height, body):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace"'
        f' font-size="14" fill="{FOREGROUND}" xml:space="preserve">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        *body,
        "</svg>\n",
    ])


def picture(program, size, theme, title, keys):
    lines = screen(program, size, theme, keys)
    width, height = size[0] * CELL + 2 * MARGIN, size[1] * LINE + 2 * MARGIN
    return svg(title, width, height, drawn(lines, MARGIN, MARGIN))


def gallery(program):
    size, keys = GALLERY
    wide, high = size[0] * CELL + MARGIN, size[1] * LINE + LINE + MARGIN
    body = []
    for number, theme in enumerate(THEMES):
        left = MARGIN + (number % 2) * wide
        top = MARGIN + (number // 2) * high
        body.append(f'<text x="{left}" y="{top + 12}" font-weight="bold">{theme}</text>')
        body.extend(drawn(screen(program, size, theme, keys), left, top + LINE))
    rows = (len(THEMES) + 1) // 2
    return svg("The same screen in the themes", 2 * wide + MARGIN, rows * high + MARGIN, body)


def main():
    program = Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug/evtap").resolve()
    wanted = sys.argv[2:]
    folder = Path(__file__).parent
    for name, *rest in SCREENS:
        if not wanted or name in wanted:
            (folder / f"{name}.svg").write_text(picture(program, *rest), encoding="utf-8")
    if not wanted or "themes" in wanted:
        (folder / "themes.svg").write_text(gallery(program), encoding="utf-8")


main()
