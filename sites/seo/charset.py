"""Bytes of a page as text."""

import codecs
import re
from typing import Final

META_BYTES: Final = 1024  # in which a page has to declare its charset (HTML §13.2.3.2)

# Codecs by the names Python gives them. Any other claim is read as UTF-8: some of Python's codecs are no charsets, and
# some are slow on hostile input (punycode). Browsers, too, read the first three as their Windows supersets.
_SUPERSETS: Final = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254"}
_CODECS: Final = frozenset(
    {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "koi8-r", "gb18030", "gbk", "big5", "shift_jis", "euc_jp", "euc_kr"}
    | {f"cp125{page}" for page in range(9)}
    | {f"iso8859-{part}" for part in (2, 5, 7, 8, 13, 15, 16)}
)
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_META_CHARSET: Final = re.compile(rb"""<meta[^>]+?charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)


def decode(body: bytes, content_type: str) -> str:
    """Text by the header's charset, else the byte order mark's, else the page's own, else UTF-8."""
    header = _CHARSET.search(content_type)
    bom = next((name for mark, name in _BOMS if body.startswith(mark)), None)
    meta = _META_CHARSET.search(body, 0, META_BYTES)
    # A page that could be read as ASCII to find its charset is not in UTF-16.
    own = _codec(meta[1].decode("ascii", "replace")).replace("utf-16", "utf-8").removesuffix("-le") if meta else "utf-8"
    name = _codec(header[1]) if header else bom or own
    return body.decode(name, "replace").removeprefix("\ufeff")


def _codec(label: str) -> str:
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return "utf-8"
    name = _SUPERSETS.get(name, name)
    return name if name in _CODECS else "utf-8"
