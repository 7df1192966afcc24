"""What is measured: wait records and the promise's verdict, reports, Prometheus metrics. Nothing of `api` is known."""
