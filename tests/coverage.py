#!/usr/bin/env python3
"""Prints which share of the lines a coverage build's runs have reached: coverage.py BUILD."""

from __future__ import annotations

import collections
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile


def main() -> int:
    build = pathlib.Path(sys.argv[1]).resolve()
    root = build.parent.parent
    counts: dict[str, dict[int, int]] = collections.defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder:
        for data in sorted(build.rglob("*.gcda")):
            subprocess.run(["gcov", "--json-format", "--object-directory", data.parent, data], cwd=folder,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            for report in pathlib.Path(folder).glob("*.gcov.json.gz"):
                for file in json.loads(gzip.decompress(report.read_bytes()))["files"]:
                    lines = counts[file["file"].removeprefix(f"{root}/")]
                    for line in file["lines"]:
                        number = line["line_number"]
                        lines[number] = lines.get(number, 0) + line["count"]
                report.unlink()
    packages: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0])
    for name, lines in sorted(counts.items()):
        if not name.startswith(("pkg/", "cmd/")):
            continue
        reached = sum(count > 0 for count in lines.values())
        for key in ("/".join(name.split("/")[:2]), "all"):
            packages[key][0] += reached
            packages[key][1] += len(lines)
        print(f"{100 * reached / max(1, len(lines)):6.1f} %  {reached:5} of {len(lines):5}  {name}")
    print()
    for key, (reached, total) in sorted(packages.items(), key=lambda item: (item[0] == "all", item[0])):
        print(f"{100 * reached / max(1, total):6.1f} %  {reached:5} of {total:5}  {key}")
    return 0 if packages else 1


if __name__ == "__main__":
    sys.exit(main())
