"""What the stages' topics carry: the journal's facts, as the schema says, each once under a stable id."""

from linkage import wire
from linkage.events.envelope import PublishedFact
from tests.behaviour import simulated
from tests.behaviour.world import World


def test_every_fact_is_published_as_its_schema_says() -> None:
    """Given a report was decided, then each of its facts is on its stage's topic, and reads back as it stands."""
    made = simulated.cluster(seed=5)
    world = World(made.outside, made.time.world, made.topics, simulated.SCALE)

    async def reported() -> list[str]:
        await world.load()
        await world.report("r1")
        await world.receipt("grid", "r1")
        return [str(staged.fact) for entry in await world.journal() for staged in entry.facts]

    try:
        journaled = made.time.run_until(reported(), 60_000)
        stages = ("reception", "information", "assessment", "whistle", "dispatch")
        made.run_until(
            lambda: sum(len(made.broker.committed_records(made.topics.stage(one))) for one in stages) >= len(journaled),
            60_000,
        )
        published = [record for one in stages for record in made.broker.committed_records(made.topics.stage(one))]
        facts = [PublishedFact.model_validate_json(record.value or b"") for record in published]
        assert sorted(str(one.fact) for one in facts) == sorted(journaled)
        assert all(made.topics.stage(one.stage) == record.topic for one, record in zip(facts, published, strict=True))
        ids = [wire.read(record.headers, record.value)[0].id for record in published]
        assert len(set(ids)) == len(ids)
        assert [one.model_dump_json().encode() for one in facts] == [record.value for record in published]
    finally:
        made.close()
