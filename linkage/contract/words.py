"""What the AsyncAPI document says in words: the contract as a whole, and each topic in a sentence or two."""

from dataclasses import dataclass
from typing import Literal

from linkage.agents.orders import NEXT
from linkage.events.inbound import Answer
from linkage.topics import MESSAGE_LIMIT_BYTES, Family


@dataclass(frozen=True, slots=True)
class Use:
    """What somebody outside the engine does with a topic; `answered_with`: what comes back on the dispatch topic."""

    operation: str
    action: Literal["send", "receive"]
    summary: str
    answered_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A topic for people: title in English and Chinese, what it is for, what users outside the engine do with it."""

    title: str
    description: str
    use: Use | None


RECEIPTS = ("IssueReceipt", "IssueRefusal")
REFUSALS = ("IssueRefusal",)
AT_LEAST_ONCE = (
    "Written at least once: after a crash the same facts come again, under the same `ce_id`. Whoever counts or acts "
    "drops an id it has seen."
)


def _stage(title: str, operation: str, summary: str) -> Words:
    description = f"{summary} A convenience: the journal is the truth. {AT_LEAST_ONCE}"
    return Words(title, description, Use(operation, "receive", summary))


WORDS: dict[Family, Words] = {
    Family.REPORT: Words(
        "Reports of one upstream system 情况报告",
        "Grid workers' app, hotline, sensors, warning centres: one topic for each source. Who sent a report is who the "
        "topic says, never what its data claims. A report without a certain township goes to the county's desk.",
        Use("sendReport", "send", "Report what happened; the receipt or refusal names the message id.", RECEIPTS),
    ),
    Family.REPLY: Words(
        "Answers of one department, township or enterprise 部门答复",
        "Answers to orders, for the party itself and for its teams, stations and people (`actor`, `role`). `hub` and "
        "`order_id` repeat what the order said. An answer gets no receipt; a refusal, if it is refused.",
        Use("sendReply", "send", "Answer an order: received, accepted or declined, on the way, in, done.", REFUSALS),
    ),
    Family.COMMAND: Words(
        "Commands of one command post 指挥部指令",
        "Answers heard by telephone, withdrawal of a team, closing of an incident; from the county's post, also "
        "placing of reports and reference data.",
        Use("sendCommand", "send", "Command as a post; the receipt or refusal names the message id.", RECEIPTS),
    ),
    Family.DISPATCH: Words(
        "What the engine tells one party 调度与通知",
        "Orders, notices, receipts, refusals, each written once, in the transaction of the decision it follows from. "
        "Readers set `isolation.level=read_committed`; then nothing comes twice, and nothing that was not decided.",
        Use("receiveDispatch", "receive", "Read your orders, notices, receipts and refusals."),
    ),
    Family.INBOX: Words(
        "Inbox of the hubs 收件箱",
        "Inside the engine. Everything a hub decides on, in the order that counts. Nobody else writes or needs it.",
        None,
    ),
    Family.JOURNAL: Words(
        "Journal of the hubs 事件日志",
        "The truth: one record for each inbox record, with every fact that followed and every message that left; kept "
        "for ever. The first record of each partition is the log's identity. Read it with "
        "`isolation.level=read_committed`, by position: transaction markers leave gaps in the offsets.",
        Use("readJournal", "receive", "Replay, verify, audit and back up what was decided, and why."),
    ),
    Family.LEASE: Words(
        "Membership of the workers 成员",
        "Inside the engine. Empty for ever: who is assigned a partition of it runs the hub partition of that number.",
        None,
    ),
    Family.RECEPTION: _stage(
        "Facts of the front desk 收件登记",
        "followReception",
        "Messages recorded, repeated and refused; reference data adopted.",
    ),
    Family.INFORMATION: _stage(
        "Facts of information 信息交互",
        "followInformation",
        "Incidents opened and closed, reports merged, revised, unplaced and handed over.",
    ),
    Family.ASSESSMENT: _stage(
        "Facts of assessment 会商研判", "followAssessment", "The level of each incident, with the criteria looked at."
    ),
    Family.WHISTLE: _stage(
        "Facts of whistle 吹哨报到",
        "followWhistle",
        "Departments whistled for, their answers, who is overdue, who takes over.",
    ),
    Family.DISPATCHED: _stage(
        "Facts of dispatch 队伍调动",
        "followDispatched",
        "Teams ordered with the candidates looked at, their answers, replacements, county teams lent.",
    ),
    Family.REGISTRY: Words(
        "Registered parties 主体登记",
        "Compacted, keyed by party: the newest entry of a key counts, a record without a value removes the party. "
        "`linkage county load` writes it.",
        Use("registerParty", "send", "The county's desk registers who may speak; ingress refuses everybody else."),
    ),
    Family.REJECTED: Words(
        "What was refused, and what could not be delivered 退件",
        "For operators: the bytes, the code and the reason. The sender is told on its own dispatch topic.",
        Use("receiveRejected", "receive", "See what could not be read, acted on or delivered."),
    ),
}


def life_cycle() -> str:
    """The answers to an order in the order in which they are awaited, as the engine has them."""
    chain: list[str] = []
    awaited = NEXT[None]
    while awaited is not None:
        chain.append(awaited.value)
        awaited = NEXT[awaited]
    return " -> ".join(f"`{answer}`" for answer in chain)


def contract() -> str:
    """What holds for every topic, in Markdown."""
    return _CONTRACT.format(
        life_cycle=life_cycle(), declined=Answer.DECLINED.value, done=Answer.DONE.value, limit_bytes=MESSAGE_LIMIT_BYTES
    )


_CONTRACT = """\
The process chain of a county's emergency linkage 乡镇吹哨、部门报到: reports come in, township posts blow the whistle,
departments report in, teams are ordered. This document is written from outside the engine: `send` is what you send,
`receive` is what you read. Topic names begin with a namespace, `linkage` unless a county or a drill has its own.
Types are v0: they may change until the rules are complete; from v1 on a shipped version is frozen.

## Reading
- Set `isolation.level=read_committed`. The engine writes orders, notices, receipts, refusals and its journal in Kafka
  transactions: a committed reader sees each exactly once, and nothing that was not decided. A reader that reads
  uncommitted may see an order early, or again under the same id.
- The topics of the stages (reception, information, assessment, whistle, dispatch) are written at least once: the same
  fact has the same `ce_id` every time.
- Commit your position after you have acted. What you were handling when you stopped comes again: know an order by
  (`order_id`, `revision`), any other message by `ce_id`.

## Writing
- Who you are is the topic you write: one report, reply or command topic for each party. Give each party write access
  to its own topics alone, and read access to its own dispatch topic; only the engine writes any other topic, except
  the registry, which the county's desk writes. A party must be registered.
- A message is a CloudEvents 1.0 event: binary mode (data as value, attributes as `ce_*` headers) or structured mode
  (`content-type: application/cloudevents+json`, attributes and `data` in the value). No batches. At most
  {limit_bytes} bytes with key and headers.
- Produce with `acks=all` and idempotence. Not sure whether it arrived? Send it again, unchanged, under the same id.

## Ids
- `ce_id` is the sender's message id, 1 to 128 characters, unique for each sender. The same id with the same content is
  the same message: it changes nothing and is answered with the same receipt again, for as many days as the county's
  policy remembers messages. The same id with other content is refused (`same_id_other_content`), unless the first was
  refused: then it is the mended message.
- A report that replaces an earlier one has a new id, and names the earlier one in `supersedes`.
- Ids of the engine derive from meaning, never from positions or chance: the same order has the same id in every run.
  One (`order_id`, `revision`) never stands for two different orders.

## Answers to an order
- {life_cycle};
  or `{declined}` instead, at any time before `{done}`. A later answer may come without those before it. An earlier one,
  or the same again, changes nothing; after `{declined}` or `{done}` nothing does.
- Each next answer has a deadline. `reported_in` counts from the order, the others from the last answer. Who misses
  one is overdue: the post and then the next above are told, and another may be asked in its place. A silent team
  stays held until it, or its post for it, answers: silence is not absence.
- `StandDown` is the same order with a higher revision: stop, come back, answer `{done}`.
- Only the party an order went to may answer it; a post may record what that party said by telephone, radio or paper
  (`RecordAnswer`, marked attested). It counts the same.

## Receipts and refusals
- Every report and every command ends in a receipt or a refusal on the sender's own dispatch topic. Answers to orders
  get none, unless they are refused.
- A refusal says its code, whose fault it is (`sender` or `engine`), and what to do. One that was the engine's fault is
  not remembered: send the same again, under the same id.
- Reports are not refused for being incomplete. What is unknown is left out or null, and never taken for zero.

## Values
- Instants are RFC 3339 with an offset. `occurred_at` is when it happened, `learned_at` when a person learned of it;
  what decides about deadlines is when the broker appended the message.
- Hub codes have 6 digits (county) or 9 (township), villages 12, groups 14; a parent is a prefix.
- Messages of a drill carry `exercise: true`.
"""
