"""What the outside is told about jobs."""

from dataclasses import dataclass
from typing import ClassVar

from ajansops.kit.permissions import Permission
from ajansops.kit.public_events import JSON, PublicEvent

JOB: JSON = {
    "id": "content_69_1758277165018_k3v9x0m2q7c4w8zt",
    "type": "content",
    "status": "completed",
    "subject": "",
    "progress": {"total": 3, "processed": 3, "succeeded": 2, "failed": 1, "percentage": 100},
    "configuration": {"content_type": "description", "languages": ["tr-TR"]},
    "error": None,
    "resumes_at": None,
    "webhook_configured": True,
    "request_id": "req_5f2b7c9d8e1a4b3c6d7e8f90",
    "created_at": "2026-01-15T10:29:00Z",
    "updated_at": "2026-01-15T10:30:00Z",
    "started_at": "2026-01-15T10:29:01Z",
    "completed_at": "2026-01-15T10:30:00Z",
}


@dataclass(frozen=True, slots=True)
class JobEvent(PublicEvent):
    """Something happened to a job."""

    serializer: ClassVar[str] = "jobs.api.serializers.JobSerializer"
    path: ClassVar[str] = "jobs"
    right: ClassVar[Permission] = Permission.VIEW_JOB


@dataclass(frozen=True, slots=True)
class JobCreated(JobEvent):
    """A job was started."""

    type: ClassVar[str] = "job.created"
    example: ClassVar[JSON] = JOB | {
        "status": "queued",
        "progress": {"total": 3, "processed": 0, "succeeded": 0, "failed": 0, "percentage": 0},
        "started_at": None,
        "completed_at": None,
    }


@dataclass(frozen=True, slots=True)
class JobCompleted(JobEvent):
    """A job has ended, and at least one of its items succeeded, or it had none."""

    type: ClassVar[str] = "job.completed"
    example: ClassVar[JSON] = JOB


@dataclass(frozen=True, slots=True)
class JobFailed(JobEvent):
    """A job has ended, and none of its items succeeded; `error` says why."""

    type: ClassVar[str] = "job.failed"
    example: ClassVar[JSON] = JOB | {
        "status": "failed",
        "progress": {"total": 1, "processed": 1, "succeeded": 0, "failed": 1, "percentage": 100},
        "error": {"code": "upstream_error", "message": "An outside service did not answer as it should."},
    }


@dataclass(frozen=True, slots=True)
class JobCancelled(JobEvent):
    """Somebody has cancelled a job. What was done until then stays."""

    type: ClassVar[str] = "job.cancelled"
    example: ClassVar[JSON] = JOB | {
        "status": "cancelled",
        "progress": {"total": 3, "processed": 1, "succeeded": 1, "failed": 0, "percentage": 33},
    }


@dataclass(frozen=True, slots=True)
class JobPaused(JobEvent):
    """Somebody has paused a job."""

    type: ClassVar[str] = "job.paused"
    example: ClassVar[JSON] = JOB | {"status": "paused", "completed_at": None}


@dataclass(frozen=True, slots=True)
class JobResumed(JobEvent):
    """A paused job goes on."""

    type: ClassVar[str] = "job.resumed"
    example: ClassVar[JSON] = JOB | {"status": "processing", "completed_at": None}


@dataclass(frozen=True, slots=True)
class JobRequeued(JobEvent):
    """What failed in a job is tried again."""

    type: ClassVar[str] = "job.requeued"
    example: ClassVar[JSON] = JOB | {"status": "processing", "completed_at": None}


@dataclass(frozen=True, slots=True)
class AgentEvent(PublicEvent):
    """Something happened to an agent."""

    serializer: ClassVar[str] = "jobs.api.serializers.AgentSerializer"
    path: ClassVar[str] = "agents"
    right: ClassVar[Permission] = Permission.VIEW_AGENT
    example: ClassVar[JSON] = {
        "id": 2,
        "name": "Watcher",
        "instructions": "Look at the reports.",
        "tools": ["sites_list"],
        "schedule": "0 9 * * 1",
        "monthly_budget": 20.0,
        "requires_approval": True,
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class AgentCreated(AgentEvent):
    """An agent was made."""

    type: ClassVar[str] = "agent.created"


@dataclass(frozen=True, slots=True)
class AgentUpdated(AgentEvent):
    """An agent was changed; `data` is as it is now."""

    type: ClassVar[str] = "agent.updated"


@dataclass(frozen=True, slots=True)
class AgentDeleted(AgentEvent):
    """An agent was deleted; `data` is as it was."""

    type: ClassVar[str] = "agent.deleted"


ENDED = frozenset({JobCompleted.type, JobFailed.type, JobCancelled.type})
EVENTS = (
    JobCreated,
    JobCompleted,
    JobFailed,
    JobCancelled,
    JobPaused,
    JobResumed,
    JobRequeued,
    AgentCreated,
    AgentUpdated,
    AgentDeleted,
)
