"""What content does again and again."""

from ajansops.kit.periodic import Periodic
from ajansops.kit.slots import Every
from content.services.posts import publish_due

TASKS = (Periodic("publish_posts", Every(30), publish_due),)
