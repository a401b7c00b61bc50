#!/usr/bin/env python
"""Commands for operators."""

import os
import sys

from django.core.management import execute_from_command_line

from ajansops.env import ConfigurationError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ajansops.settings")
    try:
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.exit(f"Configuration: {error}")
