"""Product files: what they may look like, and what is in them. Nothing here knows the database."""
