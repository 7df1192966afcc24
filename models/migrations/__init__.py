"""The schema's history, run by `queue-service migrate` (and by `serve` on an empty database)."""
