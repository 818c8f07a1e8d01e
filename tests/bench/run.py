#!/usr/bin/env python3
"""Measures ragstack beside terraform, in one run, on comparable stacks against the same emulator.

    run.py BUILD [--latency 0,50] [--runs 3] [--without-terraform]

Prints a table of medians and ratios; the raw rows go to BUILD/bench.jsonl. Terraform and its AWS
provider are found by PATH and TF_PLUGIN_MIRROR (the folder that holds the provider's registry path).
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile

import measure

HERE = pathlib.Path(__file__).resolve().parent
OPERATIONS = ("up from nothing", "diff, nothing to do", "diff, one drifted field",
              "up, one function's code changed", "down")


def write_zip(path: pathlib.Path, text: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap", (2020, 1, 1, 0, 0, 0))
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, f"#!/bin/sh\necho {text}\n")


class Terraform:
    name = "terraform"

    def __init__(self, folder: pathlib.Path, emulator: measure.Emulator):
        self.folder, self.emulator = folder / "terraform", emulator
        shutil.copytree(HERE / "terraform", self.folder)
        (self.folder / "fn").mkdir()
        mirror = find_mirror()
        settings = folder / "terraformrc"
        settings.write_text("provider_installation {\n  filesystem_mirror {\n"
                            f'    path = "{mirror}"\n  }}\n}}\ndisable_checkpoint = true\n')
        self.environment = {**emulator.environment(), "TF_CLI_CONFIG_FILE": str(settings),
                            "TF_IN_AUTOMATION": "1", "TF_VAR_endpoint": emulator.url}
        del self.environment["AWS_ENDPOINT_URL"]
        self.prepare("v1")
        self._run(["init"])

    def prepare(self, version: str) -> None:
        for name in ("embed", "query", "migrate"):
            write_zip(self.folder / "fn" / f"{name}.zip", f"{name} {version if name == 'embed' else ''}")

    def _run(self, words: list[str], accepted: tuple[int, ...] = (0,)) -> measure.Result:
        command = ["terraform", *words, "-no-color", "-input=false"]
        return measure.run(self.emulator, command, self.folder, self.environment, accepted)

    def up(self) -> measure.Result:
        return self._run(["apply", "-auto-approve"])

    def diff(self) -> measure.Result:
        return self._run(["plan", "-detailed-exitcode"], (0, 2))

    def down(self) -> measure.Result:
        return self._run(["destroy", "-auto-approve"])

    def drift(self) -> None:
        self.emulator.client("logs").put_retention_policy(
            logGroupName="/aws/lambda/ragstack-embed", retentionInDays=90)


class Ragstack:
    name = "ragstack"

    def __init__(self, folder: pathlib.Path, emulator: measure.Emulator, program: pathlib.Path):
        self.folder, self.emulator, self.program = folder / "ragstack", emulator, program
        self.folder.mkdir()
        shutil.copy(HERE / "stack.yaml", self.folder / "ragstack.yaml")
        self.environment = {**emulator.environment(), "HOME": str(self.folder)}
        self.prepare("v1")

    def prepare(self, version: str) -> None:
        write_zip(self.folder / "extra.zip", version)

    def _run(self, words: list[str], accepted: tuple[int, ...] = (0,)) -> measure.Result:
        return measure.run(self.emulator, [str(self.program), *words], self.folder, self.environment,
                           accepted)

    def up(self) -> measure.Result:
        return self._run(["up", "--yes", "-v"])

    def diff(self) -> measure.Result:
        return self._run(["diff"], (0, 2, 3))

    def down(self) -> measure.Result:
        return self._run(["down", "--yes", "-v", "--allow-data-loss=database",
                          "--allow-data-loss=documents"])

    def drift(self) -> None:
        logs = self.emulator.client("logs")
        for group in logs.describe_log_groups()["logGroups"]:
            if "ask" in group["logGroupName"]:
                logs.put_retention_policy(logGroupName=group["logGroupName"], retentionInDays=90)


def find_mirror() -> str:
    named = os.environ.get("TF_PLUGIN_MIRROR")
    if named:
        return named
    places = [pathlib.Path.home() / ".terraform.d", pathlib.Path("/opt"), pathlib.Path("/usr/local/share")]
    for place in places:
        for binary in place.glob("**/hashicorp/aws/*/*/terraform-provider-aws*"):
            return str(binary.parents[5])
    raise SystemExit("no AWS provider for terraform: set TF_PLUGIN_MIRROR, or say --without-terraform")


def one_round(peer, emulator: measure.Emulator, round_number: int) -> list[tuple[str, measure.Result]]:
    """Up, diff twice, drift, a code change, and down again."""
    emulator.reset()
    peer.prepare("v1")
    rows = [(OPERATIONS[0], peer.up())]
    rows += [(OPERATIONS[1], peer.diff()) for _ in range(2)]
    for _, row in rows[1:]:
        assert row.exit_code == 0, f"{peer.name}: not empty after up:\n{row.output}"
    peer.drift()
    rows.append((OPERATIONS[2], peer.diff()))
    assert rows[-1][1].exit_code != 0, f"{peer.name}: the drift was not seen:\n{rows[-1][1].output}"
    peer.up()
    peer.prepare(f"v2-{round_number}")
    rows.append((OPERATIONS[3], peer.up()))
    rows.append((OPERATIONS[4], peer.down()))
    return rows


def over_bound(output: str) -> float | None:
    """How much longer the steps took than the longest chain of the program's own graph."""
    told = re.search(r"the steps took ([\d.]+) s, and could not take less than ([\d.]+) s", output)
    return float(told[1]) / float(told[2]) if told and float(told[2]) else None


def median(rows: list[dict], key: str) -> float:
    return statistics.median(row[key] for row in rows)


def ratio(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.0f}x" if ours else "-"


def print_table(rows: list[dict], latency_ms: int) -> None:
    print(f"\n{latency_ms} ms on every request\n")
    print("| operation | tool | n | wall s | CPU s | anonymous MB | resident MB | requests | writes |")
    print("|---|---|---|---|---|---|---|---|---|")
    for operation in OPERATIONS:
        of = {}
        for tool in ("terraform", "ragstack"):
            chosen = [row for row in rows if (row["operation"], row["tool"], row["latency_ms"]) ==
                      (operation, tool, latency_ms)]
            if not chosen:
                continue
            of[tool] = {key: median(chosen, key) for key in
                        ("wall_s", "cpu_s", "anonymous_mb", "resident_mb", "requests", "writes")}
            one = of[tool]
            print(f"| {operation} | {tool} | {len(chosen)} | {one['wall_s']:.3f} | {one['cpu_s']:.3f} | "
                  f"{one['anonymous_mb']:.1f} | {one['resident_mb']:.1f} | {one['requests']:.0f} | "
                  f"{one['writes']:.0f} |")
        if len(of) == 2:
            print(f"| | ratio | | {ratio(of['terraform']['wall_s'], of['ragstack']['wall_s'])} | "
                  f"{ratio(of['terraform']['cpu_s'], of['ragstack']['cpu_s'])} | "
                  f"{ratio(of['terraform']['anonymous_mb'], of['ragstack']['anonymous_mb'])} | "
                  f"{ratio(of['terraform']['resident_mb'], of['ragstack']['resident_mb'])} | "
                  f"{of['terraform']['requests'] / of['ragstack']['requests']:.1f}x | |")


def print_bounds(rows: list[dict]) -> None:
    print("\n| operation | latency ms | time over the bound of our own graph |\n|---|---|---|")
    for operation in (OPERATIONS[0], OPERATIONS[4]):
        for latency_ms in sorted({row["latency_ms"] for row in rows}):
            ratios = [row["over_bound"] for row in rows if row["over_bound"] and
                      (row["operation"], row["latency_ms"]) == (operation, latency_ms)]
            if ratios:
                print(f"| {operation} | {latency_ms} | {statistics.median(ratios):.2f} |")


def print_start(program: pathlib.Path) -> None:
    times = []
    for _ in range(30):
        started = measure.time.monotonic()
        subprocess.run([str(program), "--version"], stdout=subprocess.DEVNULL, check=True)
        times.append((measure.time.monotonic() - started) * 1000)
    print(f"\n`ragstack --version`: median {statistics.median(times):.1f} ms, worst {max(times):.1f} ms; "
          f"on disk {program.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--latency", default="0,50")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--terraform-runs", type=int, default=1)
    parser.add_argument("--without-terraform", action="store_true")
    options = parser.parse_args()
    program = (options.build / "ragstack").resolve()
    rows: list[dict] = []
    for latency_ms in map(int, options.latency.split(",")):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            emulator = measure.Emulator(folder, options.build / "latency_proxy", latency_ms)
            try:
                peers = [(Ragstack(folder, emulator, program), options.runs)]
                if not options.without_terraform:
                    peers.append((Terraform(folder, emulator), options.terraform_runs))
                for peer, runs in peers:
                    for round_number in range(runs):
                        for operation, result in one_round(peer, emulator, round_number):
                            row = {key: value for key, value in vars(result).items() if key != "output"}
                            row["over_bound"] = over_bound(result.output)
                            row.update(tool=peer.name, operation=operation, latency_ms=latency_ms)
                            rows.append(row)
                            print(f"{latency_ms} ms  {peer.name}  {operation}: {result.wall_s:.2f} s, "
                                  f"{result.requests} requests", file=sys.stderr)
            finally:
                emulator.close()
        print_table(rows, latency_ms)
    print_bounds(rows)
    print_start(program)
    with (options.build / "bench.jsonl").open("w") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


if __name__ == "__main__":
    main()
