#!/usr/bin/env python3
"""Measures what watching takes: calls and dollars a minute of `watch` and of `logs -f`, and the memory of both.

    watching.py BUILD [--seconds 130]

A stack is put up on the emulator of the tests; then both run beside each other, `watch` on a terminal of 80x24.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / folder) for folder in ("aws", "cli")]

STACK = "stack: acme\nregion: us-east-1\n"


def memory_mb(pid: int) -> tuple[float, float]:
    """Of its own, and resident with the pages of files."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return tuple(int(re.search(rf"{name}:\s+(\d+)", text)[1]) / 1024 for name in ("RssAnon", "VmRSS"))


def measure(folder: pathlib.Path, seconds: int) -> None:
    import cli
    import harness

    gateway = harness.shared_gateway()
    program = harness.Program(folder, gateway.url)
    program.environment["RAGSTACK_HANDLER_ZIP"] = str(cli.write_handler(folder))
    (folder / "ragstack.yaml").write_text(STACK)
    result = program.run("up", "--yes")
    assert result.status == 0, result
    usd_per_day = program.run("watch", "--json").json["watching"]["usd_per_day"]
    watch = cli.Terminal(program, "watch", columns=80, lines=24)
    follow = program.start("logs", "-f")
    watch.read_until("q ends")
    gateway.reset()  # what beginning takes is not counted
    began = time.monotonic()
    time.sleep(seconds)
    counted: dict[str, int] = {}
    for entry in gateway.requests()["log"]:
        counted[entry["operation"]] = counted.get(entry["operation"], 0) + 1
    minutes = (time.monotonic() - began) / 60
    rows = [("watch", watch.pid, ("GetMetricData", "DescribeAlarms"), usd_per_day / 1440),
            ("logs -f", follow.pid, ("FilterLogEvents",), 0.0)]
    print("| command | calls a minute | dollars a minute | dollars a day | MB of its own | MB resident |")
    print("|---|---|---|---|---|---|")
    for name, pid, operations, usd in rows:
        own, resident = memory_mb(pid)
        calls = sum(counted.get(operation, 0) for operation in operations) / minutes
        print(f"| {name} | {calls:.1f} | {usd:.6f} | {usd * 1440:.2f} | {own:.1f} | {resident:.1f} |")
    watch.type("q")
    watch.end()
    follow.send_signal(signal.SIGINT)
    follow.communicate()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=130)
    options = parser.parse_args()
    os.environ["RAGSTACK_BUILD"] = str(options.build.resolve())
    with tempfile.TemporaryDirectory() as name:
        measure(pathlib.Path(name), options.seconds)


if __name__ == "__main__":
    main()
