"""What an item leaves behind. The Celery contender writes the same rows."""

from django.db import models


class Effect(models.Model):
    key = models.CharField(max_length=80)
    answer = models.CharField(max_length=80)

    class Meta:
        db_table = "bench_effect"
