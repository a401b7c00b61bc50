"""Foreign keys between tenants' tables lead to rows of the same tenant. Parents first: the keys need their index."""

from django.db import migrations

from ajansops.kit.constraints import SameWorkspace


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_people"), ("jobs", "0001_initial")]

    operations = [
        migrations.AddConstraint("job", SameWorkspace("api_key", name="job_api_key_same_workspace")),
    ]
