"""What a run claims, and the exceptions that it found."""

from dataclasses import dataclass, field
from typing import Any

SHOWN = 5  # examples of each complaint


@dataclass
class Verdict:
    """`complaints` is empty when all is well."""

    complaints: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def expect(self, claim: str, wrong: Any) -> None:
        """`wrong` are the exceptions from it."""
        if wrong:
            examples = ", ".join(str(one) for one in sorted(wrong, key=str)[:SHOWN])
            self.complaints.append(f"{claim}; not so: {len(wrong)}, such as {examples}")
