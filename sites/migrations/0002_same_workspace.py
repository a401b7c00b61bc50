"""Foreign keys between tenants' tables lead to rows of the same tenant. Parents first: the keys need their index."""

from django.db import migrations, models

from ajansops.kit.constraints import SameWorkspace


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("sites", "0001_initial")]

    operations = [
        migrations.AddConstraint(
            "site", models.UniqueConstraint(fields=("workspace", "id"), name="site_of_workspace")
        ),
        migrations.AddConstraint("report", SameWorkspace("site", name="report_site_same_workspace")),
    ]
