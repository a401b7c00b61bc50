"""A browser's User-Agent in words that its owner recognises.

The order is the meaning: Edge and Opera also call themselves Chrome, Chrome also calls itself Safari, and Android also
Linux. A library with all browsers ever seen would be megabytes for one line of text.
"""

from django.utils.translation import gettext

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """`Firefox, Linux`; what is no browser is named by its first word: `curl/8.5.0`."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    first_word = "" if browser or system else user_agent.split(" ", 1)[0][:40]
    return ", ".join(filter(None, (browser, system, first_word))) or gettext("Unknown device")
