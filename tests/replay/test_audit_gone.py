"""A dispatch topic that was deleted: what was sent there is missing, and that is no fault of the engine's."""

from linkage.replay.audit import Audit, AuditResult
from linkage.replay.journal import decode
from tests.replay.landslide import landslide


def test_what_was_sent_to_a_topic_that_is_gone_is_not_asked_for() -> None:
    """Without a word it is missing; named as gone it is not, nor is what stands on the topic that was made again."""
    left = landslide()
    topic = next(sent.topic for sent in left.dispatch if b"DispatchTeam" in (sent.value or b""))
    first = next(sent for sent in left.dispatch if sent.topic == topic)
    stranger = first._replace(offset=0, value=b"no message of ours")
    assert not _audited(Audit(with_topics=True), topic).is_clean
    assert _audited(Audit(with_topics=True, gone=frozenset({topic})), topic).is_clean
    made_again = Audit(with_topics=True, gone=frozenset({topic}))
    made_again.take_dispatch(stranger)
    assert _audited(made_again, topic).is_clean


def _audited(session: Audit, deleted: str) -> AuditResult:
    left = landslide()
    for span in left.spans:
        session.sources.take_span(*span)
    for source in left.sources:
        session.take_source(source)
    for sent in left.dispatch:
        if sent.topic != deleted:
            session.take_dispatch(sent)
    for entry in left.journal:
        session.take(decode(entry))
    return session.result()
