"""What a worker does with its queue's messages; `tasks` wires it to Celery."""
