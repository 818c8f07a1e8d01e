#!/usr/bin/env python3
"""Checks for functions that are not to be used, and for names that say nothing."""

from __future__ import annotations

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTIONS = ("atoi", "gets", "sprintf", "strcat", "strcpy", "strtok", "system", "vsprintf")
NAMES = ("common", "helper", "helpers", "misc", "util", "utils")
CALL = re.compile(rf"(?<![\w.>]){'(?:' + '|'.join(FUNCTIONS) + ')'}\s*\(")
# Comments and strings hold no calls.
QUIET = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"', re.S)


def blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group(0))


def main() -> int:
    problems = []
    for folder in ("pkg", "cmd", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT)
            if path.suffix in (".c", ".h", ".py") and set(re.split(r"[_.-]", path.stem)) & set(NAMES):
                problems.append(f"{name}: the name says nothing")
            if path.suffix not in (".c", ".h"):
                continue
            text = QUIET.sub(blank, path.read_text())
            for number, line in enumerate(text.splitlines(), 1):
                for call in CALL.findall(line):
                    problems.append(f"{name}:{number}: {call.rstrip('( ')} is banned")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
