"""What a workspace's plan counts of jobs and agents."""

from collections.abc import Collection

from jobs.models import Agent, Job


def count_agents(workspace_id: int) -> int:
    """Of a workspace."""
    return Agent.objects.filter(workspace_id=workspace_id).count()


def holding(reservations: Collection[str]) -> Collection[str]:
    """Those of jobs that are not settled yet, however long they wait for their window or for a person."""
    return set(Job.objects.filter(reservation__in=reservations).values_list("reservation", flat=True))
