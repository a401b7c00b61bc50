"""Which of the addresses a page leads to become items, so that no crawl grows without bounds."""

from collections import Counter
from collections.abc import Sequence

from ajansops.kit.runners import JobView, NewItem
from jobs.models import JobItem
from sites.models import CrawledPage
from sites.seo.urls import admits, path_key, repeats_content


def admitted(job: JobView, links: Sequence[str], *, depth: int) -> tuple[list[NewItem], int]:
    """Items for those that are new, within what is left of the budget; and how many were left out for it.

    Call with the job's row locked: the budget is counted from the items there are.
    """
    items = JobItem.objects.filter(job_id=job.id)
    known = set(items.filter(key__in=links).values_list("key", flat=True))
    fresh = [link for link in links if link not in known]
    if not fresh:
        return [], 0
    if depth > job.configuration["max_depth"]:
        return [], len(fresh)
    room = job.configuration["max_pages"] - (items.count() - 1)  # 1: robots.txt is no page
    taken = _within_variants(job, fresh)[: max(room, 0)]
    return [NewItem(link, {"depth": depth}) for link in taken], len(fresh) - len(taken)


def _within_variants(job: JobView, links: Sequence[str]) -> list[str]:
    """A path has only so many queries."""
    variants: Counter[str] = Counter()
    for path in {path_key(link) for link in links if "?" in link}:
        variants[path] = JobItem.objects.filter(job_id=job.id, key__startswith=f"{path}?").count()
    taken = []
    for link in links:
        if admits(link, variants):
            taken.append(link)
            variants[path_key(link)] += "?" in link
    return taken


def is_worn(job: JobView, text_hash: str) -> bool:
    """Whether so many pages had this text that where one more leads is not worth knowing."""
    alike = CrawledPage.objects.filter(job_id=job.id, text_hash=text_hash).count() if text_hash else 0
    return repeats_content(text_hash, {text_hash: alike})
