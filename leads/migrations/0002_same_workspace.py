"""Foreign keys between tenants' tables lead to rows of the same tenant. Parents first: the keys need their index."""

from django.db import migrations, models

from ajansops.kit.constraints import SameWorkspace


class Migration(migrations.Migration):
    dependencies = [("leads", "0001_initial"), ("sites", "0002_same_workspace")]

    operations = [
        migrations.AddConstraint(
            "lead", models.UniqueConstraint(fields=("workspace", "id"), name="lead_of_workspace")
        ),
        migrations.AddConstraint("lead", SameWorkspace("site", name="lead_site_same_workspace")),
        migrations.AddConstraint("leadidentity", SameWorkspace("lead", name="lead_identity_lead_same_workspace")),
    ]
