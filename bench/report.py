#!/usr/bin/python3
"""bench/REPORT.md and its plots (bench/report/*.svg), from what the benchmarks have found (bench/report/*.json, of --json).

What is not there is left out. Run by scripts/bench report; needs Debian's python3-matplotlib.
"""

import collections
import json
import pathlib
import re
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({
    "svg.fonttype": "none",  # text stays text: a tenth of the size
    "svg.hashsalt": "rowcast",  # the same data, the same file
    "font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25, "legend.frameon": False,
})
import matplotlib.pyplot as plt  # noqa: E402

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "report"
PROFILES = HERE.parent / "build" / "release" / "bench"
COLOURS = {"rowcast": "#0b6e4f", "WebSocket": "#0b6e4f", "SSE": "#2a9d8f", "long poll": "#8ab17d", "bare LISTEN, SELECT": "#777777", "the floor": "#777777",
           "nginx, nchan": "#3d5a98", "Node, pg and ws": "#b5651d", "unwatched": "#777777", "audited": "#3d5a98", "watched": "#0b6e4f", "notifying": "#b5651d"}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def number(value, digits=2):
    """With so many digits that count: 12,300; 1.2."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 ** (digits - 1) else f"{rounded:g}"


def duration(microseconds):
    return f"{number(microseconds / 1000)} ms" if microseconds < 1e6 else f"{number(microseconds / 1e6)} s"


def save(figure, name, description):
    figure.savefig(FOLDER / f"{name}.svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return f"![{description}](report/{name}.svg)"


def bars(axes, groups, series, values, unit):
    """One group of bars for each of `groups`; `values[name]` has a value, or None, for each."""
    width = 0.8 / len(series)
    for i, name in enumerate(series):
        places = [g + (i - (len(series) - 1) / 2) * width for g in range(len(groups))]
        shown = [0 if value is None else value for value in values[name]]
        axes.bar(places, shown, width, label=name, color=COLOURS.get(name))
        for place, value in zip(places, values[name]):
            if value is not None:
                axes.annotate(number(value), (place, value), ha="center", va="bottom", fontsize=7)
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel(unit)
    axes.grid(axis="x", visible=False)


def latency(figures):
    rates = sorted({each["rate"] for each in figures})
    rows = []
    picture, axes = plt.subplots(1, len(rates), figsize=(3.6 * len(rates), 3.2), sharey=True, squeeze=False)
    for rate, place in zip(rates, axes[0]):
        here = [each for each in figures if each["rate"] == rate]
        floor = dict(here[0]["microseconds"])
        for each in here:
            curve = dict(each["microseconds"])
            shown = [duration(curve[part]) if part in curve else "–" for part in (0.5, 0.99, 0.999)]
            ratios = [number(curve[part] / floor[part]) if part in curve and part in floor else "–" for part in (0.5, 0.99)]
            rows.append([f"{rate:,.0f}", each["client"], f"{each['transactions']:,}", *shown, *ratios])
            place.plot([1 / (1 - part) for part, _ in each["microseconds"]], [us / 1000 for _, us in each["microseconds"]],
                       label=each["client"], color=COLOURS.get(each["client"]))
        place.set_xscale("log")
        place.set_yscale("log")
        place.set_xticks([2, 10, 100, 1000], ["50 %", "90 %", "99 %", "99.9 %"])
        place.set_xticks([], minor=True)
        place.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        place.set_title(f"{rate:,.0f} transactions a second", fontsize=10)
    axes[0][0].set_ylabel("ms")
    axes[0][0].legend(fontsize=8)
    head = ["transactions a second", "client", "transactions", "p50", "p99", "p99.9", "of the bare client's p50", "p99"]
    return save(picture, "latency", "Latency by percentile, at each rate"), table(head, rows)


def fan_out(figures):
    counts = sorted({each["subscribers"] for each in figures if each["subscribers"] > 1})
    flights = sorted({each["in_flight"] for each in figures})
    servers = list(dict.fromkeys(each["server"] for each in figures))

    def find(server, many, ahead, what):
        return next((each[what] for each in figures if (each["server"], each["subscribers"], each["in_flight"]) == (server, many, ahead)), None)

    picture, axes = plt.subplots(1, len(flights), figsize=(4.6 * len(flights), 3.2), squeeze=False)
    rows = []
    for ahead, place in zip(flights, axes[0]):
        bars(place, [f"{many:,} subscribers" for many in counts], servers,
             {server: [find(server, many, ahead, "cpu_of_a_million") for many in counts] for server in servers}, "seconds of CPU for a million deliveries")
        place.set_title("one at a time" if ahead == 1 else f"{ahead} in flight", fontsize=10)
        place.set_ylim(top=place.get_ylim()[1] * 1.5)
    axes[0][0].legend(fontsize=8)
    for many in counts:
        for server in servers:
            row = [f"{many:,}", server]
            for ahead in flights:
                cpu = find(server, many, ahead, "cpu_of_a_million")
                row += [number(find(server, many, ahead, "deliveries_a_second")), f"{number(cpu)} s", f"{cpu / find('the floor', many, ahead, 'cpu_of_a_million'):.1f}"]
            rows.append(row)
    head = ["subscribers", "server"]
    for ahead in flights:
        head += ["one at a time: deliveries/s" if ahead == 1 else f"{ahead} in flight: deliveries/s", "CPU", "of the floor's"]
    return save(picture, "fan_out", "CPU for a million deliveries, by server"), table(head, rows)


def matching(figures):
    rules = {"equality": "found by an index", "range": "each asked"}
    shown = [rule for rule in rules if any(each["rule"] == rule for each in figures)]
    picture, axes = plt.subplots(1, len(shown), figsize=(4.6 * len(shown), 3), squeeze=False)
    rows = []
    for rule, place in zip(shown, axes[0]):
        these = [each for each in figures if each["rule"] == rule]
        counts = [each["subscriptions"] for each in these]
        for what, label in (("matching", "matched and worded"), ("delivered", "and handed out")):
            place.plot(counts, [each[what] for each in these], marker="o", label=label, color=COLOURS["rowcast"] if what == "matching" else COLOURS["SSE"])
        place.set_xscale("log")
        place.set_title(rules[rule], fontsize=10)
        place.set_xlabel("subscriptions, each with a rule of its own")
        if rule == "equality":
            place.set_ylim(bottom=0)
        else:
            place.set_yscale("log")
        for each in these:
            further = (each["matching"] - these[0]["matching"]) / max(1, each["subscriptions"] - 1)
            rows.append([rules[rule], f"{each['subscriptions']:,}", number(each["bytes"], 3), f"{number(each['matching'])} us", f"{number(each['delivered'])} us",
                         f"{number(further * 1000)} ns" if rule == "range" and each["subscriptions"] > 1 else "–"])
    axes[0][0].set_ylabel("microseconds of CPU an event")
    axes[0][0].legend(fontsize=8)
    head = ["", "subscriptions", "bytes each", "matched and worded", "and handed out", "for each further one"]
    return save(picture, "matching", "CPU an event, by subscriptions"), table(head, rows)


def writers(figures):
    names = {"unwatched": "unwatched", "audited": "audit trigger", "watched": "watched", "notifying": "notifying"}
    kinds = [kind for kind in names if kind != "unwatched"]
    conditions = [[each["clients"], f"{each['rows']:,}", each["flush"]] for each in figures]
    flushes = list(dict.fromkeys(each["flush"] for each in figures))
    picture, axes = plt.subplots(len(flushes), figsize=(9, 2.2 * len(flushes)), squeeze=False)
    for flush, place in zip(flushes, axes[:, 0]):
        these = [each for each in figures if each["flush"] == flush]
        bars(place, [f"{each['clients']} client{'s' * (each['clients'] > 1)}, {each['rows']:,} row{'s' * (each['rows'] > 1)}" for each in these], kinds,
             {kind: [each["tables"][kind]["share"] * 100 for each in these] for kind in kinds}, "% of unwatched")
        place.set_ylim(top=place.get_ylim()[1] * 1.1)
        place.set_title("no flush" if flush == "none" else f"{flush} flush", fontsize=10)
    axes[0][0].legend(fontsize=8)
    picture.tight_layout()

    def rows_of(*columns):
        return [[*at, *(tell(each["tables"]) for tell in columns)] for at, each in zip(conditions, figures)]

    def each_of(some, tell):
        return [lambda tables, kind=kind: tell(tables[kind]) for kind in some]

    under = ["clients", "rows", "flush"]
    throughput = table([*under, "unwatched, tx/s", *(names[kind] for kind in kinds), "watched, of the audit trigger"],
                       rows_of(lambda tables: number(tables["unwatched"]["a_second"]), *each_of(kinds, lambda its: f"{its['share'] * 100:.0f} %"),
                               lambda tables: f"{tables['watched']['share_of_audited'] * 100:.0f} %"))
    waiting = table([*under, *(f"{name}, latency" for name in names.values()), *(f"{names[kind]}, a row more" for kind in kinds)],
                    rows_of(*each_of(names, lambda its: f"{number(its['latency_ms'])} ms"), *each_of(kinds, lambda its: f"{number(its['added_microseconds'])} us")))
    volume = table([*under, *(f"{name}, WAL" for name in names.values()), "audit log", "rowcast's log"],
                   rows_of(*each_of(names, lambda its: number(its["wal_bytes"], 3)), *each_of(["audited", "watched"], lambda its: number(its["log_bytes"], 3))))
    return (save(picture, "writers", "What is left of the writers' throughput"), "What is left of the throughput:", throughput,
            "What a transaction takes in a client, and how much more for each of its rows than where nobody watches. With many clients each waits for the others, too; "
            "what a row by itself costs is told by one client, and no flush:", waiting, "Bytes a changed row:", volume)


def catch_up(figures):
    rows = [[f"transactions of {each['transactions_of']:,}", f"{each['subscribers']:,}", each["from"], number(each["changes_a_second"]),
             "–" if each["from"] == "COPY" else f"{each['cpu_microseconds']:.1f} us", "–" if each["from"] == "COPY" else f"{each['passes']:.0f}"] for each in figures]
    return (table(["", "subscribers", "from", "changes a second, in all", "the bridge's CPU a change", "passes over the log"], rows),)


def storm(figures):
    rows = [[f"{each['clients']:,}", each["from"], f"{each['subscribed_seconds']:.1f} s", f"{each['complete_seconds']:.1f} s",
             number(each["clients"] / each["complete_seconds"]), f"{each['passes']:.0f}",
             f"{each['transactions']:,}", f"{each['megabytes']:.0f} MB"]
            for each in figures if each["from"] != "restart"]
    restart = next(each for each in figures if each["from"] == "restart")
    late = restart["late_seconds"]
    picture, axes = plt.subplots(figsize=(4.6, 3))
    axes.plot([told / 1000 for told, _ in restart["told_and_back_ms"]], [(back - told) / 1000 for told, back in restart["told_and_back_ms"]],
              ".", markersize=3, color=COLOURS["rowcast"])
    axes.set_xlabel("told to come back after, seconds")
    axes.set_ylabel("live again so many seconds later")
    axes.set_ylim(bottom=0)
    return (table(["clients", "from", "all subscribed", "all have what they missed", "sessions a second", "passes over the log", "transactions of PostgreSQL",
                   "memory at most"], rows),
            f"Told to come back by a bridge that is restarted (its socket is kept), {restart['clients']:,} clients are live again {late['p50']:.2f} s (median), "
            f"{late['p99']:.2f} s (99 %) and {late['most']:.2f} s (the last) after the moment that each was told:",
            save(picture, "storm", "When clients were told to come back, and when they were live again"))


def memory(figures):
    rows = [[each["session"], number(each["bytes"]), f"{each['what']}: {number(each['by_itself'])}" if "what" in each else "–"] for each in figures]
    return (table(["a session", "bytes", "what it has that the one without has not"], rows),)


def instructions():
    lines = [line.split() for line in (HERE / "instructions.txt").read_text().splitlines() if not line.startswith("#")]
    return (table(["path", "instructions", "allocations"], [[name, f"{int(count):,}", allocations] for name, count, allocations in lines]),)


def flames():
    """Draws the profiles that were taken (NAME.folded, see fold), and shows all that there are."""
    for path in sorted(PROFILES.glob("*.folded")):
        save(flame(path.read_text().splitlines()), f"flame_{path.stem}", "")
    return [f"![{path.stem.removeprefix('flame_').replace('_', ' ')}](report/{path.name})" for path in sorted(FOLDER.glob("flame_*.svg"))]


KERNEL = "_[k]"
LEAST_SHARE = 0.005


def fold(lines):
    """perf script's stacks (a line of the thread, a line a frame, from the top, an empty line), each once and how often it was seen."""
    seen = collections.Counter()
    frames = []
    for line in lines:
        text = line.strip()
        if text and line[0] in " \t":
            address, name = (text.split(" ", 1) + ["?"])[:2]
            frames.append(name + (KERNEL if address.startswith("ffff") else ""))
        elif not text and frames:
            seen[";".join(reversed(frames))] += 1
            frames = []
    return [f"{stack} {count}" for stack, count in sorted(seen.items())]


SHORTER = ((r"\(anonymous namespace\)::", ""), (r"<[^<>]*>", ""), (r"\([^()]*\)", ""), (r"^.* (?=[\w:~]+$)", ""), (r"\b(boost|rowcast|std)::", ""))


def shorter(name):
    """Without template arguments and parameters, of which names consist otherwise."""
    for pattern, instead in SHORTER:
        while (changed := re.sub(pattern, instead, name)) != name:
            name = changed
            if pattern.startswith("^"):
                break
    return name


def flame(folded):
    root = {}
    total = 0
    for line in folded:
        stack, count = line.rsplit(" ", 1)
        total += int(count)
        level = root
        for name in stack.split(";"):
            entry = level.setdefault(name, [0, {}])
            entry[0] += int(count)
            level = entry[1]

    picture, axes = plt.subplots(figsize=(11, 5))
    deepest = 0

    def draw(level, left, depth):
        nonlocal deepest
        for name, (count, above) in sorted(level.items()):
            share = count / total
            if share >= LEAST_SHARE:
                deepest = max(deepest, depth)
                kernel = name.endswith(KERNEL)
                tone = sum(name.encode()) % 7 / 7
                axes.barh(depth, share, left=left, height=0.94, align="edge", clip_on=False, color=(0.55 + 0.2 * tone, 0.65, 0.85) if kernel else (0.95, 0.45 + 0.35 * tone, 0.2))
                text = shorter(name.removesuffix(KERNEL))
                room = int(share * 190)
                if room >= 4:
                    axes.text(left + 0.001, depth + 0.47, text if len(text) <= room else text[:room - 1] + "…", fontsize=6, va="center")
                draw(above, left, depth + 1)
            left += share

    draw(root, 0, 0)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, deepest + 1)
    axes.axis("off")
    return picture


SECTIONS = (
    ("latency", "Latency", "From when a transaction (one INSERT) is due until the client has its row.", latency),
    ("fan_out", "Fan-out", "One change to many WebSocket clients: what the server's process takes of the processor.", fan_out),
    ("matching", "Many rules", "An UPDATE that one of so many subscriptions sees, each with a rule of its own, by which an index finds it or not.", matching),
    ("writers", "Writers", "pgbench on a table that nobody watches, and on three that somebody does: throughput, latency, WAL and the log's size.", writers),
    ("catch_up", "Catching up", "WebSocket clients that were away: one, and many at once.", catch_up),
    ("storm", "Many clients", "All clients come back at once: after their connections broke while changes were made one by one (in steps), and after the bridge was killed and changes were made.", storm),
    ("memory", "Memory", "Resident memory of the bridge by idle WebSocket session.", memory),
)


def anchor(title):
    return title.lower().replace(" ", "-")


def main():
    parts = []
    machines = {}
    for name, title, what, draw in SECTIONS:
        path = FOLDER / f"{name}.json"
        if not path.exists():
            continue
        found = json.loads(path.read_text())
        machine = found["machine"]
        described = f"{machine['processor']}, {machine['cores']} cores; {machine['kernel']}; {machine['postgresql']}"
        machines.setdefault(described, []).append(title.lower())
        parts.append("\n\n".join((
            f"## {title}",
            f"{what} `scripts/bench {name}`; how it is measured and [what limits it](../docs/performance.md#{anchor(title)}). "
            f"{found['day']}, load {found['load_before']:.1f} before and {found['load_after']:.1f} after.",
            *draw(found["figures"]))))
    parts.append("\n\n".join(("## Instructions", "What a change takes on its way, by `scripts/instructions`; [which paths these are](../docs/performance.md#instructions).",
                              *instructions())))
    pictures = flames()
    if pictures:
        parts.append("\n\n".join(("## Where the time goes", "The bridge's threads, sampled by `perf`: width is time, from the thread's "
                                  f"beginning below to what was running on top; blue is the kernel. What took less than {LEAST_SHARE:.1%} is left out. What has no frame pointers (malloc, waiting) stands by itself.", *pictures)))
    if len(machines) == 1:
        on = next(iter(machines))
    else:
        on = "\n".join(f"- {described} ({', '.join(titles)})" for described, titles in machines.items())
    head = (f"# What rowcast takes\n\nMade by `scripts/bench report`, which measures, draws and writes this; `scripts/bench report --draw` draws again what was measured "
            f"(`bench/report/*.json`). How each figure is measured and what limits it is in [docs/performance.md](../docs/performance.md).\n\nOn: {on}. "
            "PostgreSQL, the load, what is compared and rowcast share the processor, so ratios say more than absolute figures; the load average beside each "
            "tells how much else it had to do.")
    (HERE / "REPORT.md").write_text("\n\n".join((head, *parts)) + "\n")


if sys.argv[1:] == ["--fold"]:
    print(*fold(sys.stdin), sep="\n")
else:
    main()
