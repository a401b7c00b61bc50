"""Progress: live bars on a terminal, plain lines elsewhere."""

import sys
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Display(Protocol):
    """Told about every change of every job."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: Any, error: Any, trace: TracebackType | None) -> None: ...

    def say(self, text: str) -> None:
        """A line."""
        ...

    def show(self, label: str, job: dict[str, Any]) -> None:
        """Where a job is, as core shows it."""
        ...


class Bars:
    """For people in front of a terminal."""

    def __init__(self, console: Console, bad: str) -> None:
        self._bad = bad
        columns = [SpinnerColumn(), TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn()]
        self._progress = Progress(*columns, TextColumn("{task.fields[note]}"), TimeElapsedColumn(), console=console)
        self._bars: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: Any, error: Any, trace: TracebackType | None) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Above the bars."""
        self._progress.console.print(text, highlight=False)

    def show(self, label: str, job: dict[str, Any]) -> None:
        """Moves the bar."""
        progress = job["progress"]
        if label not in self._bars:
            self._bars[label] = self._progress.add_task(label, note="")
        note = f"{progress['failed']} {self._bad}" if progress["failed"] else ""
        total = progress["total"] or None
        self._progress.update(self._bars[label], completed=progress["processed"], total=total, note=note)
        if job["completed_at"]:
            self._progress.stop_task(self._bars[label])


class Lines:
    """For logs: a line when a job starts, at each quarter, and when it ends."""

    def __init__(self, bad: str) -> None:
        self._bad = bad
        self._seen: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, trace: TracebackType | None) -> None:
        pass

    def say(self, text: str) -> None:
        """As it is."""
        print(text, flush=True)  # noqa: T201  # this is what a display does

    def show(self, label: str, job: dict[str, Any]) -> None:
        """Only when it says something new."""
        progress = job["progress"]
        state = (job["status"], progress["percentage"] // 25)
        if self._seen.get(label) != state:
            self._seen[label] = state
            failed = f", {progress['failed']} {self._bad}" if progress["failed"] else ""
            self.say(f"  {label}: {job['status']}, {progress['processed']} of {progress['total']}{failed}")


def display(bad: str = "reported") -> Display:
    """The one that fits where the output goes. `bad` is what it calls items that were not done."""
    return Bars(Console(), bad) if sys.stdout.isatty() else Lines(bad)
