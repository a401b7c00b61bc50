"""What a receiver has who has read nothing but docs/webhooks.md."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def documented() -> SimpleNamespace:
    """Its Python."""
    code: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, code)  # our own page
    return SimpleNamespace(**code)
