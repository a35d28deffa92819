"""An independent checker: confluent-kafka and raw JSON, nothing of the engine, written from `schemas/` alone."""
