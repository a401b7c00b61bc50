"""For rows from before: each key is a family of its own (a default is computed once for all), each log has an end."""

import uuid

from django.db import migrations


def separate(apps, schema_editor):
    ApiKey = apps.get_model("accounts", "ApiKey")
    for pk in list(ApiKey.objects.values_list("pk", flat=True)):
        ApiKey.objects.filter(pk=pk).update(family=uuid.uuid4())


def begin_logs(apps, schema_editor):
    """So that a workspace without an end of its log is one whose log was taken away."""
    pks = apps.get_model("accounts", "Workspace").objects.values_list("pk", flat=True)
    ActivityHead = apps.get_model("accounts", "ActivityHead")
    ActivityHead.objects.bulk_create([ActivityHead(chain=pk) for pk in pks], ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_people")]
    operations = [
        migrations.RunPython(separate, migrations.RunPython.noop),
        migrations.RunPython(begin_logs, migrations.RunPython.noop),
    ]
