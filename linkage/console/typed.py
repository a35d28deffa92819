"""What to type next, as it is typed: words in capitals are for the person to replace."""

from shlex import quote

from linkage.events.reference import Party


def record_answer(post: str, order_id: str, party: str) -> str:
    """For what was heard by telephone. `party`: whom the order went to."""
    return (
        f"linkage command {post} record-answer {order_id} ANSWER"
        f" --on-behalf-of {party} --channel phone --recorded-by NAME"
    )


def place(post: str, source: str, message_id: str) -> str:
    return f"linkage command {post} place {source} {quote(message_id)} TOWNSHIP --reason WHY"


def judge_link(post: str, link_id: str) -> str:
    """`--separate` when they are two events."""
    return f"linkage command {post} judge-link {link_id} --one-event --reason WHY --signed-by NAME"


def revise(source: str) -> str:
    """The numbers come with a report that names, as `supersedes`, the one it replaces."""
    return f"linkage publish FILE --source {source}"


def look_up(incident_id: str) -> str:
    """Nothing can be typed that fills a seat: who was asked, and why nobody is left."""
    return f"linkage replay incident {incident_id}"


def apply_topics() -> str:
    return "linkage topics apply --county DIR"


def load_county() -> str:
    return "linkage county load DIR"


def send_again(sender: Party | None, message_id: str) -> str:
    """What the sender of a refused message types, once it is mended."""
    if sender is None:
        return ""
    match sender.kind:
        case "source":
            return f"linkage publish FILE --source {sender.id}"
        case "department" | "enterprise":
            return f"linkage reply {sender.id} ORDER ANSWER"
        case "township" | "county":
            return f"linkage command {sender.id} COMMAND --message-id {quote(message_id)}"
