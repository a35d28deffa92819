"""Every kind of fault, by the name under which the report counts it."""

from tests.campaign import broker_faults as brokers
from tests.campaign import disk_faults as disk
from tests.campaign import worker_faults as workers
from tests.campaign.worker_faults import Fault

AWAY_S = 180.0
"""How long Kafka is away in the soak."""

KINDS: dict[str, Fault] = {
    "worker killed at random": workers.killed_at_random,
    **{f"worker killed at {point}": workers.killed_in_transact(point) for point in workers.IN_TRANSACT},
    **{f"worker killed at {point}": workers.killed_in_take_over(point) for point in workers.IN_TAKE_OVER},
    "zombie, idle": workers.zombie_idle,
    "zombie, in a transaction": workers.zombie_in_transaction,
    "worker added": workers.worker_added,
    "worker removed (SIGTERM)": workers.worker_removed,
    "workers rolled": workers.workers_rolled,
    "worker's clock an hour fast": workers.clock_ahead,
    "worker's clock an hour slow": workers.clock_behind,
    "second deployment, same namespace": workers.deployed_twice,
    "second deployment, another group": workers.two_groups,
    "worker cut off in its own network": workers.cut_off,
    "broker killed: leader": brokers.leader_killed,
    "broker killed: transaction coordinator": brokers.transaction_coordinator_killed,
    "broker killed: group coordinator": brokers.group_coordinator_killed,
    "brokers rolled": brokers.brokers_rolled,
    "broker stopped for 15 s": brokers.broker_stopped,
    "Kafka away for 20 s": brokers.kafka_away(20.0),
    "Kafka away for 3 minutes": brokers.kafka_away(AWAY_S),
    "department's topic deleted": brokers.topic_deleted,
    "department's rights taken away": brokers.rights_taken,
    "source's topic unreachable": brokers.source_unreachable,
    "disk full under a broker": disk.disk_full,
}
