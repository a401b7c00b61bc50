"""What people type as a domain, in the one form in which two spellings of it are equal."""

from ajansops.kit.net import BadUrl, Url, parse_url
from ajansops.kit.net.urls import DEFAULT_PORTS

MAX_CHARS = 260  # 253 of the name, a colon, a port


def normal_domain(text: str) -> str:
    """`HTTPS://Örnek.com/yol` is `xn--rnek-4qa.com`; a port other than 80 and 443 stays. Raises ValueError."""
    text = text.strip()
    try:
        url = parse_url(text if "://" in text else f"http://{text}")
    except BadUrl as error:
        raise ValueError(error.reason) from error
    if "." not in url.host and not _needs_http(url):
        raise ValueError(f"not a public name: {url.host}")
    return domain_of(url)


def domain_of(url: Url) -> str:
    """Its host as `normal_domain` writes it."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{host}:{url.port}" if _has_port(url) else host


def start_url(domain: str) -> str:
    """The home page of a `normal_domain`: https, but http with a port, an address or localhost."""
    return f"{'http' if _needs_http(parse_url(f'http://{domain}/')) else 'https'}://{domain}/"


def _needs_http(url: Url) -> bool:
    return _has_port(url) or url.address is not None or url.host == "localhost"


def _has_port(url: Url) -> bool:
    return url.port not in DEFAULT_PORTS.values()
