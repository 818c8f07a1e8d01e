"""A terminal's screen, as far as the program's pages use one: what would stand where."""

from __future__ import annotations

import re

TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b.|[\r\n]|[^\x1b\r\n]+", re.DOTALL)


class Screen:
    """Feed it what the program wrote; `rows` are the lines without trailing blanks."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self.alternate = False
        self.cursor_shown = True
        self.scrolled = False  # something went out at the top
        self.overflowed = False  # a line was longer than the screen is wide
        self.painted: set[str] = set()  # SGR sequences seen
        self._clear()

    def _clear(self) -> None:
        self.cells = [[" "] * self.columns for _ in range(self.lines)]
        self.row = self.column = 0

    def feed(self, text: str) -> None:
        for match in TOKEN.finditer(text):
            if match.group(2):
                self._control(match.group(1), match.group(2))
            elif match.group(0) == "\r":
                self.column = 0
            elif match.group(0) == "\n":
                self._next_line()
            elif not match.group(0).startswith("\x1b"):
                self._write(match.group(0))

    def _next_line(self) -> None:
        if self.row + 1 < self.lines:
            self.row += 1
            return
        self.scrolled = True
        self.cells = self.cells[1:] + [[" "] * self.columns]

    def _write(self, text: str) -> None:
        for character in text:
            if self.column >= self.columns:
                self.overflowed = True
                return
            self.cells[self.row][self.column] = character
            self.column += 1

    def _control(self, parameters: str, letter: str) -> None:
        if letter == "m":
            self.painted.add(parameters)
        elif letter == "H":
            self.row = self.column = 0
        elif letter == "K":
            self.cells[self.row][self.column:] = [" "] * (self.columns - self.column)
        elif letter == "J":
            if parameters == "2":
                self._clear()
                return
            self.cells[self.row][self.column:] = [" "] * (self.columns - self.column)
            for row in range(self.row + 1, self.lines):
                self.cells[row] = [" "] * self.columns
        elif parameters == "?1049" and letter in "hl":
            self.alternate = letter == "h"
            self._clear()
        elif parameters == "?25" and letter in "hl":
            self.cursor_shown = letter == "h"
        elif not (parameters == "?7" and letter in "hl"):
            raise AssertionError(f"what is ESC [ {parameters} {letter}?")

    @property
    def rows(self) -> list[str]:
        return ["".join(cells).rstrip() for cells in self.cells]

    @property
    def text(self) -> str:
        return "\n".join(self.rows).rstrip() + "\n"
