"""Django as WSGI: the `web` process, and what `asgi` stands in front of."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ajansops.settings")
application = get_wsgi_application()
