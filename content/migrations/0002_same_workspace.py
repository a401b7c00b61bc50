"""Foreign keys between tenants' tables lead to rows of the same tenant. Parents first: the keys need their index."""

from django.db import migrations, models

from ajansops.kit.constraints import SameWorkspace


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("content", "0001_initial")]

    operations = [
        migrations.AddConstraint(
            "product", models.UniqueConstraint(fields=("workspace", "id"), name="product_of_workspace")
        ),
        migrations.AddConstraint(
            "persona", models.UniqueConstraint(fields=("workspace", "id"), name="persona_of_workspace")
        ),
        migrations.AddConstraint(
            "audience", models.UniqueConstraint(fields=("workspace", "id"), name="audience_of_workspace")
        ),
        migrations.AddConstraint(
            "specialday", models.UniqueConstraint(fields=("workspace", "id"), name="specialday_of_workspace")
        ),
        migrations.AddConstraint(
            "brand", models.UniqueConstraint(fields=("workspace", "id"), name="brand_of_workspace")
        ),
        migrations.AddConstraint("variant", SameWorkspace("product", name="variant_product_same_workspace")),
        migrations.AddConstraint("variant", SameWorkspace("persona", name="variant_persona_same_workspace")),
        migrations.AddConstraint("variant", SameWorkspace("audience", name="variant_audience_same_workspace")),
        migrations.AddConstraint("variant", SameWorkspace("special_day", name="variant_special_day_same_workspace")),
    ]
