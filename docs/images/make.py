#!/usr/bin/env python3
"""Draws the README's picture from what the program really prints.

    cargo build && docs/images/make.py target/debug/evtap

Runs the commands below with colour, reads the ANSI text into terminal cells, and writes them as
docs/images/read.svg. Needs nothing but Python.
"""

import os
import re
import shlex
import subprocess
import sys
from html import escape
from pathlib import Path

COMMANDS = [
    "evtap read demo: -g order-456 --last 4",
    "evtap read demo:payments,shipments -w '.value.data.orderId == \"order-429\"' --map '.value | {eventType, data}'",
    "evtap replay demo:orders -w '.value.data.totalAmount > 70' --to demo:sandbox --create-topic --speed 10x --dry-run",
]

COLUMNS = 120
CELL, LINE, MARGIN = 8.4, 18, 16
BACKGROUND, TEXT = "#14161b", "#d5d8df"
# The sixteen colours are the terminal's own; these are ours for the picture.
COLORS = {"33": "#d9b35b", "36": "#5fb7c5"}
SGR = re.compile(r"\x1b\[([0-9;]*)m")


def cells(text):
    """Gives (character, style) for each character; a style is the set of SGR codes in force."""
    style, at = frozenset(), 0
    for match in SGR.finditer(text):
        yield from ((c, style) for c in text[at : match.start()])
        codes = set(match[1].split(";")) - {""}
        style = frozenset() if codes <= {"0"} else style | codes
        at = match.end()
    yield from ((c, style) for c in text[at:])


def rows(text):
    """Lines as a terminal of that width breaks them."""
    row = []
    for character, style in cells(text):
        if character == "\n" or len(row) == COLUMNS:
            yield row
            row = []
        if character != "\n":
            assert character.isprintable(), f"{character!r} would reach a terminal"
            row.append((character, style))
    yield row


def runs(row):
    """Gives (column, text, style) for neighbours that look the same."""
    start = 0
    for end in range(1, len(row) + 1):
        if end == len(row) or row[end][1] != row[start][1]:
            yield start, "".join(c for c, _ in row[start:end]), row[start][1]
            start = end


def drawn(row, y):
    for column, text, style in runs(row):
        if not text.strip():
            continue
        column += len(text) - len(text.lstrip())
        text = text.strip()
        look = "".join(f' fill="{COLORS[code]}"' for code in style if code in COLORS)
        look += ' opacity="0.6"' if "2" in style else ""
        look += ' font-weight="bold"' if "1" in style else ""
        look += ' font-style="italic"' if "3" in style else ""
        # The length is given, so that another font keeps the cells.
        yield (
            f'<text x="{MARGIN + column * CELL:.1f}" y="{y}" textLength="{len(text) * CELL:.1f}"'
            f"{look}>{escape(text)}</text>"
        )


def printed(program, command):
    args = [program, *shlex.split(command)[1:], "--color", "always"]
    env = {"PATH": os.environ["PATH"], "EVTAP_CONFIG": os.devnull, "TZ": "UTC"}
    ran = subprocess.run(
        args, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert ran.returncode == 0, ran.stdout.decode()
    return f"\x1b[1m$ {command}\x1b[0m\n{ran.stdout.decode()}"


def main():
    program = Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug/evtap").resolve()
    session = "\n".join(printed(program, command) for command in COMMANDS)
    screen = list(rows(session.rstrip("\n")))
    width = COLUMNS * CELL + 2 * MARGIN
    height = len(screen) * LINE + 2 * MARGIN
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}"'
        f' font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace"'
        f' font-size="14" fill="{TEXT}" xml:space="preserve">',
        "<title>evtap reading and replaying the demo</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
    ]
    for number, row in enumerate(screen):
        svg.extend(drawn(row, MARGIN + number * LINE + 14))
    svg.append("</svg>\n")
    Path(__file__).with_name("read.svg").write_text("\n".join(svg), encoding="utf-8")


main()
