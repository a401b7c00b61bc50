"""What content does again and again."""

from ajansops.kit.periodic import Periodic
from content.services.posts import publish_due

TASKS = (Periodic("publish_posts", 30, publish_due),)
