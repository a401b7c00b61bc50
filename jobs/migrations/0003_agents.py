"""What models are to do by themselves."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_earlier_rows'),
        ('jobs', '0002_same_workspace'),
    ]

    operations = [
        migrations.CreateModel(
            name='Agent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=120)),
                ('instructions', models.TextField(max_length=20000)),
                ('tools', models.JSONField(blank=True, default=list, help_text='Names such as sites_list; none is no tool.')),
                ('schedule', models.CharField(blank=True, help_text="Cron, five fields, in the workspace's time zone; empty: only when somebody starts it.", max_length=100)),
                ('monthly_budget', models.DecimalField(blank=True, decimal_places=2, help_text='USD; empty: no limit of its own.', max_digits=10, null=True)),
                ('requires_approval', models.BooleanField(default=True, help_text='Tools that write wait for a person.')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
            ],
            options={
                'ordering': ('id',),
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='agent_name_once'), models.UniqueConstraint(fields=('workspace', 'id'), name='agent_of_workspace'), models.CheckConstraint(condition=models.Q(('monthly_budget', None), ('monthly_budget__gte', 0), _connector='OR'), name='agent_budget_not_negative')],
            },
        ),
    ]
