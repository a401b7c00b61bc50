"""A default is computed once for all rows that are there; each key is a family of its own."""

import uuid

from django.db import migrations


def separate(apps, schema_editor):
    ApiKey = apps.get_model("accounts", "ApiKey")
    for pk in list(ApiKey.objects.values_list("pk", flat=True)):
        ApiKey.objects.filter(pk=pk).update(family=uuid.uuid4())


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_people")]
    operations = [migrations.RunPython(separate, migrations.RunPython.noop)]
