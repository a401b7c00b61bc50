"""Posts of sites."""

import ajansops.kit.constraints
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_earlier_rows"),
        ("content", "0002_same_workspace"),
        ("sites", "0002_same_workspace"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Post",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("title", models.CharField(max_length=300)),
                (
                    "slug",
                    models.SlugField(
                        blank=True,
                        db_index=False,
                        help_text="Once a site; made of the title where it is empty.",
                        max_length=200,
                    ),
                ),
                ("body", models.TextField(blank=True, help_text="Markdown.", max_length=100000)),
                ("html", models.TextField(blank=True, editable=False)),
                ("excerpt", models.TextField(blank=True, max_length=1000)),
                ("seo_title", models.CharField(blank=True, max_length=255)),
                ("seo_description", models.CharField(blank=True, max_length=500)),
                (
                    "canonical_url",
                    models.CharField(
                        blank=True, max_length=2000, validators=[django.core.validators.URLValidator(["http", "https"])]
                    ),
                ),
                ("tags", models.JSONField(blank=True, default=list)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("scheduled", "Scheduled"),
                            ("published", "Published"),
                            ("archived", "Archived"),
                        ],
                        default="draft",
                        max_length=9,
                    ),
                ),
                (
                    "publish_at",
                    models.DateTimeField(blank=True, help_text="When it will be, while it is scheduled.", null=True),
                ),
                ("published_at", models.DateTimeField(blank=True, help_text="When it last became public.", null=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sites.site"),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["workspace", "status", "-id"], name="post_by_status"),
                    models.Index(condition=models.Q(("status", "scheduled")), fields=["publish_at"], name="post_due"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "slug"), name="post_slug_once"),
                    models.UniqueConstraint(fields=("workspace", "id"), name="post_of_workspace"),
                    ajansops.kit.constraints.SameWorkspace("site", name="post_site_same_workspace"),
                    models.CheckConstraint(condition=models.Q(("slug", ""), _negated=True), name="post_has_slug"),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["draft", "scheduled", "published", "archived"])),
                        name="post_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("publish_at__isnull", False), ("status", "scheduled")),
                            models.Q(models.Q(("status", "scheduled"), _negated=True), ("publish_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="post_scheduled_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "published"), _negated=True),
                            ("published_at__isnull", False),
                            _connector="OR",
                        ),
                        name="post_published_has_time",
                    ),
                ],
            },
        ),
    ]
