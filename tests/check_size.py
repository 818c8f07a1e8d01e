#!/usr/bin/env python3
"""Checks that functions and files stay small, and the program too: check_size.py PROGRAM."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_FUNCTION_LINES = 100
MOST_FILE_LINES = 1000
MOST_PROGRAM_BYTES = 5 << 20


def functions(lines: list[str]) -> list[tuple[str, int, int]]:
    """Name, first line and length of each function: its brace stands alone at the left margin."""
    found, start = [], 0
    for index, line in enumerate(lines):
        if line == "{" and index and lines[index - 1].rstrip().endswith(")"):
            start = index + 1
        elif line == "}" and start:
            head = " ".join(lines[max(0, start - 6):start])
            names = re.findall(r"(\w+)\s*\(", head.split(";")[-1].split("}")[-1])
            found.append((names[0] if names else "?", start, index + 1 - start))
            start = 0
    return found


def main() -> int:
    problems = []
    lengths: list[int] = []
    for folder in ("pkg", "cmd", "tests"):
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            lines = path.read_text().splitlines()
            name = path.relative_to(ROOT)
            if len(lines) > MOST_FILE_LINES:
                problems.append(f"{name}: {len(lines)} lines, more than {MOST_FILE_LINES}")
            for function, start, length in functions(lines):
                if folder != "tests":
                    lengths.append(length)
                if length > MOST_FUNCTION_LINES:
                    problems.append(f"{name}:{start}: {function} has {length} lines, more than {MOST_FUNCTION_LINES}")
    for program in sys.argv[1:]:
        with tempfile.NamedTemporaryFile() as stripped:
            subprocess.run(["strip", "-o", stripped.name, program], check=True)
            size = pathlib.Path(stripped.name).stat().st_size
        print(f"{program}: {size / (1 << 20):.2f} MB stripped")
        if size > MOST_PROGRAM_BYTES:
            problems.append(f"{program}: {size} bytes, more than {MOST_PROGRAM_BYTES}")
    lengths.sort()
    if lengths:
        print(f"{len(lengths)} functions: median {lengths[len(lengths) // 2]} lines, longest {lengths[-1]}")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
