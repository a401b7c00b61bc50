"""Leads that nobody scraped, and what is written to leads."""

import django.db.models.deletion
from django.db import migrations, models

SOURCES = ["api", "apify", "csv", "manual", "nominatim", "website"]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_earlier_rows"), ("leads", "0002_same_workspace")]

    operations = [
        migrations.RemoveConstraint("lead", "lead_source_known"),
        migrations.AlterField(
            "lead",
            "source",
            models.CharField(
                choices=[
                    ("api", "Api"),
                    ("apify", "Apify"),
                    ("csv", "Csv"),
                    ("manual", "Manual"),
                    ("nominatim", "Nominatim"),
                    ("website", "Website"),
                ],
                max_length=9,
            ),
        ),
        migrations.AlterField("lead", "tags", models.JSONField(blank=True, default=list)),
        migrations.AddConstraint(
            "lead",
            models.CheckConstraint(condition=models.Q(source__in=SOURCES), name="lead_source_known"),
        ),
        migrations.CreateModel(
            name="EmailTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name", models.CharField(max_length=120)),
                (
                    "subject",
                    models.CharField(
                        help_text="One line; may hold merge fields such as {{ name }}.", max_length=255
                    ),
                ),
                ("html", models.TextField(max_length=200000)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "name"), name="email_template_name_once"),
                    models.UniqueConstraint(fields=("workspace", "id"), name="email_template_of_workspace"),
                ],
            },
        ),
    ]
