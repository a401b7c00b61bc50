"""What people write: a Celery task per delivery, with Django's ORM and a client that keeps its connections.

On the product's own tables and with its own signatures, so that all contenders send the same bytes.
"""

import os
import time

import django

django.setup()

import urllib3
from celery import Celery

from webhooks.models import Delivery, DeliveryStatus
from webhooks.signatures import signed_headers

app = Celery("deliveries", broker=os.environ["REDIS_URL"])
app.conf.update(task_ignore_result=True)
pool = urllib3.PoolManager(maxsize=50)


@app.task(name="deliver")
def deliver(delivery_id: int) -> None:
    row = Delivery.objects.select_related("event", "endpoint").get(pk=delivery_id)
    event, body = row.event, bytes(row.event.body)
    headers = signed_headers(event.public_id, event.type, body, row.endpoint.secrets(), int(time.time()))
    answer = pool.request("POST", row.endpoint.url, body=body, headers=headers, timeout=15, retries=False)
    Delivery.objects.filter(pk=delivery_id).update(
        status=DeliveryStatus.SUCCESS, attempts=1, response_status=answer.status, next_attempt_at=None
    )
