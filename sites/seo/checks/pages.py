"""Checks of one page. Each returns the evidence, or None when all is well."""

import re
from collections import defaultdict
from typing import Final

from sites.seo.checks.registry import Category, Check, Details, Severity, page_check
from sites.seo.facts import SECURITY_HEADERS, Hreflang, PageFacts

# Characters. No engine publishes a limit; these are the usual ones, from the 600 pixels that Google shows of a title
# and the two lines of a description.
TITLE_MIN: Final = 30
TITLE_MAX: Final = 60
DESCRIPTION_MIN: Final = 70
DESCRIPTION_MAX: Final = 160

SLOW_MS: Final = 600  # of the whole exchange; Lighthouse's server-response-time warns from 600 ms
LARGE_BYTES: Final = 500 * 1024  # of HTML; our choice, about four times the 90th percentile of the HTTP Archive
MIN_WORDS: Final = 150  # our choice, engines name no number; Turkish and Hungarian say in 150 what takes 200 in English
MAX_HOPS: Final = 1  # one redirect is how sites move; Lighthouse's redirects audit also starts at the second
SAMPLE: Final = 10  # pieces of evidence kept in the details

OPEN_GRAPH: Final = ("og:title", "og:type", "og:image", "og:url")  # required by ogp.me
_NOT_ZOOMABLE: Final = re.compile(r"user-scalable\s*=\s*(?:no|0)\b", re.IGNORECASE)
# Language, script, region as Google reads hreflang: ISO 639, ISO 15924, ISO 3166.
_HREFLANG: Final = re.compile(r"x-default|[a-z]{2,3}(?:-[a-z]{4})?(?:-(?P<region>[a-z]{2}))?", re.IGNORECASE)
_NO_REGIONS: Final = frozenset({"uk", "eu"})  # reserved in ISO 3166, and the usual mistakes for gb and none

_ERROR, _WARNING, _NOTICE = Severity.ERROR, Severity.WARNING, Severity.NOTICE
_SEO, _SPEED, _ACCESS, _PRACTICE = Category.SEO, Category.PERFORMANCE, Category.ACCESSIBILITY, Category.BEST_PRACTICES


def _first(texts: tuple[str, ...]) -> str:
    return next((text for text in texts if text), "")


def _too_long(text: str, limit: int) -> Details | None:
    return {"text": text, "length": len(text), "limit": limit} if len(text) > limit else None


def _too_short(text: str, limit: int) -> Details | None:
    return {"text": text, "length": len(text), "limit": limit} if 0 < len(text) < limit else None


@page_check(Check("title_missing", _ERROR, _SEO, 20, "title"))
def title_missing(page: PageFacts) -> Details | None:
    return None if _first(page.titles) else {"titles": len(page.titles)}


@page_check(Check("title_too_long", _WARNING, _SEO, 4, "title"))
def title_too_long(page: PageFacts) -> Details | None:
    return _too_long(_first(page.titles), TITLE_MAX)


@page_check(Check("title_too_short", _WARNING, _SEO, 4, "title"))
def title_too_short(page: PageFacts) -> Details | None:
    return _too_short(_first(page.titles), TITLE_MIN)


@page_check(Check("description_missing", _WARNING, _SEO, 10, 'meta[name="description"]'))
def description_missing(page: PageFacts) -> Details | None:
    return None if _first(page.descriptions) else {"descriptions": len(page.descriptions)}


@page_check(Check("description_too_long", _NOTICE, _SEO, 2, 'meta[name="description"]'))
def description_too_long(page: PageFacts) -> Details | None:
    return _too_long(_first(page.descriptions), DESCRIPTION_MAX)


@page_check(Check("description_too_short", _NOTICE, _SEO, 2, 'meta[name="description"]'))
def description_too_short(page: PageFacts) -> Details | None:
    return _too_short(_first(page.descriptions), DESCRIPTION_MIN)


@page_check(Check("h1_missing", _WARNING, _SEO, 8, "h1"))
def h1_missing(page: PageFacts) -> Details | None:
    return None if _first(page.h1s) else {"headings": len(page.h1s)}


@page_check(Check("h1_multiple", _NOTICE, _SEO, 2, "h1"))
def h1_multiple(page: PageFacts) -> Details | None:
    headings = [text for text in page.h1s if text]
    return {"count": len(headings), "headings": headings[:SAMPLE]} if len(headings) > 1 else None


@page_check(Check("missing_alt", _ERROR, _ACCESS, 40, "img"))
def missing_alt(page: PageFacts) -> Details | None:
    bare = [image for image in page.images if image.alt is None]
    sample = [{"src": image.src, "element": image.element} for image in bare[:SAMPLE]]
    return {"count": len(bare), "images": sample, "images_total": page.images_total} if bare else None


@page_check(Check("canonical_missing", _NOTICE, _SEO, 3, 'link[rel="canonical"]'))
def canonical_missing(page: PageFacts) -> Details | None:
    return None if page.canonicals or page.noindex else {"canonicals": 0}


@page_check(Check("canonical_elsewhere", _NOTICE, _SEO, 2, 'link[rel="canonical"]'))
def canonical_elsewhere(page: PageFacts) -> Details | None:
    others = [canonical.url for canonical in page.canonicals if canonical.url not in {None, page.url}]
    return {"canonical": others[0], "canonicals": others} if others else None


@page_check(Check("noindex", _WARNING, _SEO, 15, 'meta[name="robots"]'))
def noindex(page: PageFacts) -> Details | None:
    return {"directives": list(page.robots)} if page.noindex else None


@page_check(Check("lang_missing", _ERROR, _ACCESS, 30, "html"))
def lang_missing(page: PageFacts) -> Details | None:
    return None if page.lang else {"lang": ""}


@page_check(Check("hreflang_invalid", _WARNING, _SEO, 5, "link[hreflang]"))
def hreflang_invalid(page: PageFacts) -> Details | None:
    targets: defaultdict[str, set[str]] = defaultdict(set)
    for entry in page.hreflangs:
        targets[entry.lang.lower()].add(entry.url or entry.href)
    problems = [_hreflang_problem(entry) for entry in page.hreflangs]
    problems += [f"{lang}: {len(urls)} addresses" for lang, urls in targets.items() if len(urls) > 1]
    found = [problem for problem in problems if problem]
    return {"count": len(found), "problems": found[:SAMPLE]} if found else None


def _hreflang_problem(entry: Hreflang) -> str:
    code = _HREFLANG.fullmatch(entry.lang)
    if not code or (code["region"] or "").lower() in _NO_REGIONS:
        return f"{entry.lang}: no language and region"
    if not entry.url or not entry.href.lower().startswith(("http:", "https:", "//")):
        return f"{entry.lang}: not an absolute address: {entry.href}"
    return ""


@page_check(Check("viewport_missing", _WARNING, _PRACTICE, 15, 'meta[name="viewport"]'))
def viewport_missing(page: PageFacts) -> Details | None:
    """Also one that does not adapt: phones then show the page as a desktop would."""
    adapts = page.viewport and ("width" in page.viewport.lower() or "initial-scale" in page.viewport.lower())
    return None if adapts else {"viewport": page.viewport}


@page_check(Check("viewport_not_zoomable", _WARNING, _ACCESS, 20, 'meta[name="viewport"]'))
def viewport_not_zoomable(page: PageFacts) -> Details | None:
    return {"viewport": page.viewport} if _NOT_ZOOMABLE.search(page.viewport or "") else None


@page_check(Check("redirect_chain", _WARNING, _SPEED, 20))
def redirect_chain(page: PageFacts) -> Details | None:
    hops = [{"url": hop.url, "status": hop.status} for hop in page.hops]
    return {"count": len(hops), "limit": MAX_HOPS, "hops": hops} if len(hops) > MAX_HOPS else None


@page_check(Check("mixed_content", _ERROR, _PRACTICE, 25))
def mixed_content(page: PageFacts) -> Details | None:
    """Browsers block it on an https page; on an http page it is what would break on the day the site moves."""
    loaded = page.mixed_content
    return (
        {"count": len(loaded), "resources": list(loaded[:SAMPLE]), "secure": page.url.startswith("https:")}
        if loaded
        else None
    )


@page_check(Check("slow_response", _WARNING, _SPEED, 50))
def slow_response(page: PageFacts) -> Details | None:
    return {"ms": page.elapsed_ms, "limit": SLOW_MS} if page.elapsed_ms > SLOW_MS else None


@page_check(Check("large_page", _WARNING, _SPEED, 30))
def large_page(page: PageFacts) -> Details | None:
    return {"bytes": page.html_bytes, "limit": LARGE_BYTES} if page.html_bytes > LARGE_BYTES else None


@page_check(Check("thin_content", _NOTICE, _SEO, 4))
def thin_content(page: PageFacts) -> Details | None:
    thin = page.word_count < MIN_WORDS and page.indexable
    return {"words": page.word_count, "limit": MIN_WORDS} if thin else None


@page_check(Check("structured_data_invalid", _WARNING, _SEO, 5, 'script[type="application/ld+json"]'))
def structured_data_invalid(page: PageFacts) -> Details | None:
    errors = [{"block": number, "error": block.error} for number, block in enumerate(page.json_ld, 1) if block.error]
    return {"count": len(errors), "blocks": len(page.json_ld), "errors": errors[:SAMPLE]} if errors else None


@page_check(Check("open_graph_missing", _NOTICE, _SEO, 2, 'meta[property^="og:"]'))
def open_graph_missing(page: PageFacts) -> Details | None:
    missing = [name for name in OPEN_GRAPH if name not in page.open_graph]
    return {"missing": missing, "present": list(page.open_graph)} if missing else None


@page_check(Check("https_missing", _ERROR, _PRACTICE, 40))
def https_missing(page: PageFacts) -> Details | None:
    return None if page.url.startswith("https:") else {"scheme": "http"}


@page_check(Check("security_headers_missing", _WARNING, _PRACTICE, 20))
def security_headers_missing(page: PageFacts) -> Details | None:
    """Strict-Transport-Security only counts over https, where alone browsers heed it (RFC 6797 §8.1)."""
    wanted = SECURITY_HEADERS if page.url.startswith("https:") else SECURITY_HEADERS[1:]
    missing = [name for name in wanted if name not in page.security_headers]
    return {"missing": missing, "present": list(page.security_headers)} if missing else None
