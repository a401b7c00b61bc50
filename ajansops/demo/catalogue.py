"""The shop export that the demo imports. One row has no title on purpose: the import report has something to say."""

from pathlib import Path

CATALOGUE = Path(__file__).parent / "catalogue.csv"


def catalogue(site: str) -> str:
    """The Shopify product export, its pictures at `site` (`http://127.0.0.1:8123`, no slash at the end)."""
    return CATALOGUE.read_text(encoding="utf-8").replace("{site}", site)
