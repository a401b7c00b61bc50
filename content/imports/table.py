"""From bytes to rows: encoding, quoting and everything a spreadsheet can do to a CSV file."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from ajansops.kit.errors import Invalid

MAX_BYTES = 20 * 2**20
MAX_ROWS = 100_000
DELIMITERS = ",;\t"

csv.field_size_limit(MAX_BYTES)  # of the process: a cell that is too long is one bad row, not the end of the file


@dataclass(frozen=True, slots=True)
class Row:
    """A record. `number` is what a spreadsheet shows: the header is 1. `cells` are by column key, see `key_of`.

    `fault` says why it cannot be read; then it has no cells.
    """

    number: int
    cells: dict[str, str]
    fault: str = ""

    def get(self, *keys: str) -> str:
        """The first of these columns that has a value."""
        return next((self.cells[key] for key in keys if self.cells.get(key)), "")


@dataclass(frozen=True, slots=True)
class Table:
    """`header` maps the key of a column to its name as written."""

    header: dict[str, str]
    rows: list[Row]
    blank: int


def key_of(name: str) -> str:
    """Two spellings of a column name that differ in case or space are one."""
    return " ".join(name.split()).casefold()


def decode(data: bytes) -> str:
    """UTF-8, with or without a mark; else windows-1254, in which Turkish Excel saves."""
    for encoding in ("utf-8-sig", "windows-1254"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid(errors={"file": [gettext("The file is neither UTF-8 nor windows-1254 text.")]})


def headers(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each delimiter with the first record as it would cut it."""
    for delimiter in DELIMITERS:
        try:
            yield delimiter, next(_reader(text, delimiter), [])
        except csv.Error:
            continue


def read(text: str, delimiter: str) -> Table:
    """Raises `Invalid` for a header with the same column twice and for too many rows."""
    records = _records(text, delimiter)
    _, names, _ = next(records)
    header = _header(names)
    keys = list(header)
    rows: list[Row] = []
    blank = 0
    for number, cells, fault in records:
        if len(rows) + blank >= MAX_ROWS:
            message = gettext("The file has more than %(limit)d rows.")
            raise Invalid(errors={"file": [message % {"limit": MAX_ROWS}]})
        if not fault and not any(map(str.strip, cells)):
            blank += 1
        else:
            rows.append(_row(number, keys, cells, fault))
    return Table(header, rows, blank)


def _row(number: int, keys: Sequence[str], cells: Sequence[str], fault: str) -> Row:
    if not fault and any("\0" in cell for cell in cells):
        fault = "It contains a NUL character."
    if not fault and any(map(str.strip, cells[len(keys) :])):
        fault = f"It has {len(cells)} cells; the header has {len(keys)}."
    if fault:
        return Row(number, {}, fault)
    return Row(number, {key: cell.strip() for key, cell in zip(keys, cells, strict=False)})


def _header(names: Sequence[str]) -> dict[str, str]:
    header: dict[str, str] = {}
    for position, raw in enumerate(names, start=1):
        name = " ".join(raw.split()) or f"Column {position}"
        if key_of(name) in header:
            message = gettext("The column '%(name)s' occurs twice.")
            raise Invalid(errors={"file": [message % {"name": name}]})
        header[key_of(name)] = name
    return header


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    # Strict, so that a quote that is never closed is an error and does not swallow the rest in silence.
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Number, cells and fault of each. After an error the reader goes on with the next line."""
    reader = _reader(text, delimiter)
    number = 0
    while True:
        number += 1
        try:
            yield number, next(reader), ""
        except StopIteration:
            return
        except csv.Error as error:
            yield number, [], f"It cannot be read: {error}."
