#!/usr/bin/env python3
"""Checks that a package includes only packages below it, and always by path from the root."""

from __future__ import annotations

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# From the ground up. Packages of one line are of one rank and do not know each other.
LAYERS = [
    ["base"], ["value"], ["task"], ["http"], ["aws"], ["pg", "git", "bundle", "encoder", "convert"], ["rag"], ["lambda"],
    ["resource"], ["cloud", "eval"], ["serve"], ["local"], ["stack"], ["plan"], ["ledger"], ["apply"], ["watch"],
]
RANK = {package: rank for rank, layer in enumerate(LAYERS) for package in layer}


def package_of(path: str) -> str | None:
    match = re.match(r"pkg/(\w+)/", path)
    return match.group(1) if match else None


def problems_of(path: pathlib.Path) -> list[str]:
    name = path.relative_to(ROOT).as_posix()
    own = package_of(name)
    found = []
    if own is not None and own not in RANK:
        return [f"{name}: package {own} has no place in the layers"]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not match:
            continue
        included, where = match.group(1), f"{name}:{number}"
        if not (ROOT / included).is_file():
            found.append(f"{where}: {included} is not a path from the root")
            continue
        other = package_of(included)
        if name.startswith("pkg/"):
            if other is None:
                found.append(f"{where}: a package includes {included}, which is above it")
            elif other not in RANK:
                found.append(f"{where}: package {other} has no place in the layers")
            elif other != own and RANK[other] >= RANK[own]:
                found.append(f"{where}: {own} includes {other}, which is not below it")
        if included.endswith("/internal.h") and pathlib.PurePath(included).parent != pathlib.PurePath(name).parent \
                and not name.startswith("tests/"):
            found.append(f"{where}: {included} is the other package's own")
    return found


def main() -> int:
    files = [path for folder in ("pkg", "cmd", "tests") for suffix in ("c", "h")
             for path in sorted((ROOT / folder).rglob(f"*.{suffix}"))]
    problems = [problem for path in files for problem in problems_of(path)]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
