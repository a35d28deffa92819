"""The fault campaign on a real Kafka: every kind of fault, with its evidence, judged by a checker that is not ours."""
