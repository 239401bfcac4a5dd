#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""page.py numbers DOM JSON | timeline PAGE TIMELINE ID | ready DOM: what a browser made of a report's page, against what
plimsoll says of the same cells in other formats."""
import base64
import json
import math
import re
import statistics
import sys
from html.parser import HTMLParser


class Page(HTMLParser):
    """Text of tables by id, as rows of cells; text of everything by id; names of all elements."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.texts, self.elements, self.open, self.ids, self.ready = {}, {}, set(), None, [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.elements.add(tag)
        self.ready = attrs.get("data-ready-ms", self.ready)
        if tag not in ("meta", "link", "input", "br", "img"):
            self.ids.append((tag, attrs.get("id")))
        if tag == "table":
            self.open = self.tables.setdefault(attrs.get("id"), [])
        elif tag == "tr" and self.open is not None:
            self.open.append([])
        elif tag in ("td", "th") and self.open:
            self.open[-1].append("")

    def handle_endtag(self, tag):
        while self.ids and self.ids.pop()[0] != tag:
            pass
        if tag == "table":
            self.open = None

    def handle_data(self, data):
        if self.open and self.open[-1] and any(t in ("td", "th") for t, _ in self.ids):
            self.open[-1][-1] += data
        for _, i in self.ids:
            if i:
                self.texts[i] = self.texts.get(i, "") + data


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def number(v):
    """As harness/report/web/numbers.js, for the sizes that occur here."""
    if v >= 1e4:
        return f"{float(f'{v / 1e3:.3g}'):g}k"
    if v == int(v):
        return str(int(v))
    return f"{v:.0f}" if abs(v) >= 100 else f"{float(f'{v:.3g}'):g}"


def numbers(dom, cells):
    page, cells = Page(read(dom)), json.loads(read(cells))
    word = {"completed": "ok"}
    lines = {}
    for cell in cells:
        setting = re.sub(r"[^ -~\n]", "??", cell["axes"]["setting"])
        lines.setdefault((cell["axes"]["kernel"], setting), []).append(cell)
    heat = {(row[0], row[1]): row[2] for row in page.tables["heat"][1:]}
    assert set(heat) == set(lines), (set(heat), set(lines))
    for key, line in lines.items():
        for verdict in {c["verdict"] for c in line}:
            n = sum(c["verdict"] == verdict for c in line)
            assert f"{n} {word.get(verdict, verdict)}" in heat[key], (heat[key], verdict, n)
        median = statistics.median(c["metrics"]["alloc_stall_s"] for c in line if c["verdict"] != "incomplete")
        assert f" {number(median)} task-s" in heat[key], (heat[key], median)
    # The comparison is of B, the one that the page opens with, against the baseline of its kernel.
    kernel_b = page.texts["compare-text"].split(" ")[0]
    base = {c["axes"]["seed"]: c for c in lines[(kernel_b, "defaults")]}
    other = {c["axes"]["seed"]: c for k, line in lines.items() if k[0] == kernel_b and k[1] != "defaults" for c in line}
    seeds = [s for s in base if s in other and "incomplete" not in (base[s]["verdict"], other[s]["verdict"])]
    for row in page.tables["pairs"][1:]:
        a = [base[s]["metrics"][row[0]] for s in seeds]
        b = [other[s]["metrics"][row[0]] for s in seeds]
        assert row[1].split(" ")[0] == number(statistics.mean(a)), row
        assert row[2].split(" ")[0] == number(statistics.mean(b)), row
        assert int(row[7]) == len(seeds), row
    row = next(r for r in page.tables["pairs"] if r[0] == "hung_tasks")
    d = [other[s]["metrics"]["hung_tasks"] - base[s]["metrics"]["hung_tasks"] for s in seeds]
    # Student's t for 5 degrees of freedom
    half = 2.570582 * statistics.stdev(d) / math.sqrt(len(d))
    low, high = (float(x) for x in row[5].split(" to "))
    assert abs(low - (statistics.mean(d) - half)) < 0.005 and abs(high - (statistics.mean(d) + half)) < 0.005, (row, half)
    assert abs(float(row[6]) - statistics.mean(d) / statistics.stdev(d)) < 0.005, row
    # Clopper and Pearson of 5 of 6, as R's binom.test(5, 6) has it: 0.3587654 to 0.9957893
    assert page.tables["rates"][1][1] == "5 of 6 (36 to 100 %)", page.tables["rates"]
    assert not page.elements & {"c", "b<c"}, "a name became markup"
    print(f"{len(heat)} lines, {len(page.tables['pairs']) - 1} metrics of {len(seeds)} pairs")


def unpack(text):
    values, value, zigzag, shift = [], 0, 0, 0
    for byte in base64.b64decode(text):
        zigzag |= (byte & 0x7f) << shift
        shift += 7
        if not byte & 0x80:
            value += (zigzag >> 1) ^ -(zigzag & 1)
            values.append(value)
            zigzag = shift = 0
    return values


def timeline(page, samples, cell):
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', read(page), re.S).group(1)
    data = json.loads(text)
    index = next(i for i, c in enumerate(data["cells"]) if c["id"] == cell)
    packed = data["timelines"][str(index)]
    rows = [line.split() for line in read(samples).splitlines() if not line.startswith("#")]
    names, rows = rows[0], rows[1:]
    mib = packed["page_kib"] / 1024
    for series, column, scale in (("free_pages", "free_mib", mib), ("low_pages", "low_mib", mib), ("dirty_pages", "dirty_mib", mib),
                                  ("blocked_tasks", "d_state_tasks", 1), ("depth_requests", "disk_requests", 1),
                                  ("psi_mem_full_permille", "psi_memory_full_percent", 0.1)):
        have = [v * scale for v in unpack(packed[series])]
        want = [float(r[names.index(column)]) for r in rows][-len(have):]
        assert len(have) > 100 and len(have) == packed["points"], len(have)
        assert all(abs(a - b) <= 0.11 * max(scale, 0.01) + 1e-4 * abs(b) + (0.1 if scale == 0.1 else 0) for a, b in zip(have, want)), series
    kib = sum(sum(unpack(packed[k])) for k in packed if k.endswith("_kib_s")) / 1024
    want = sum(float(r[names.index(c)]) for r in rows[-packed["points"]:] for c in ("disk_read_mib_s", "disk_written_mib_s"))
    assert abs(kib - want) < 0.01 * want, (kib, want)
    print(f"{packed['points']} points, {kib:.0f} MiB/s in all of them")


def ready(dom):
    page = Page(read(dom))
    print(f"ready after {page.ready} ms")
    assert int(page.ready) < 1000


{"numbers": numbers, "timeline": timeline, "ready": ready}[sys.argv[1]](*sys.argv[2:])
