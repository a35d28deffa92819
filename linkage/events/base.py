"""What every message and fact is made of: one frozen base, places, counts, and who said it.

Instants are aware datetimes, written as RFC 3339; spans carry their unit in the name.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

HubCode = Annotated[str, StringConstraints(pattern=r"^\d{6}(\d{3})?$")]
"""6 digits: the county's hub; 9 digits: a township's."""

PartyId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""A party as its topics name it: a source, a department, a township or the county."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Words = Annotated[str, StringConstraints(max_length=2000)]

WORDS_LIMIT_CHARACTERS = 2000
ATTACHMENTS_LIMIT_COUNT = 20


def instant(milliseconds: int) -> datetime:
    """The instant of a Kafka timestamp, exact to the millisecond."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds(at: datetime) -> int:
    """The Kafka timestamp of an instant."""
    return (at - EPOCH) // timedelta(milliseconds=1)


class Frozen(BaseModel):
    """What is written is never changed, and holds nothing that its type does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Model = TypeVar("Model", bound=Frozen)


def filled(model_type: type[Model], /, **known: Any) -> Model:
    """A model of parts that were checked before: every field is named, none is validated or defaulted.

    For what is only wrapped, once for each record or fact there is; `model_construct` does it for ten times the price.
    """
    model = model_type.__new__(model_type)
    fill = object.__setattr__
    fill(model, "__dict__", known)
    fill(model, "__pydantic_fields_set__", set(known))
    fill(model, "__pydantic_extra__", None)
    fill(model, "__pydantic_private__", None)
    return model


class Level(StrEnum):
    """Incident level, I the worst (突发事件应对法 Art. 3)."""

    I = "I"  # noqa: E741  the level's own name
    II = "II"
    III = "III"
    IV = "IV"

    @property
    def severity(self) -> int:
        """4 for I, the worst, down to 1 for IV."""
        return {"I": 4, "II": 3, "III": 2, "IV": 1}[self.value]


class CoordinateSystem(StrEnum):
    WGS84 = "WGS84"
    CGCS2000 = "CGCS2000"
    GCJ02 = "GCJ-02"


class Channel(StrEnum):
    """How an answer that somebody else wrote down was heard."""

    PHONE = "phone"
    RADIO = "radio"
    PAPER = "paper"
    CHAT = "chat"
    FACE_TO_FACE = "face_to_face"


class Place(Frozen):
    """Where: codes as far as they are known, the reporter's words, coordinates in degrees."""

    township: Annotated[str, StringConstraints(pattern=r"^\d{9}$")] | None = None
    village: Annotated[str, StringConstraints(pattern=r"^\d{12}$")] | None = None
    group: Annotated[str, StringConstraints(pattern=r"^\d{14}$")] | None = None
    words: Words = ""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    coordinate_system: CoordinateSystem = CoordinateSystem.WGS84
    accuracy_m: Annotated[float, Field(ge=0)] | None = None

    @property
    def hub(self) -> str | None:
        """The township that the finest code lies in, or None when none is stated."""
        finest = self.group or self.village or self.township
        return finest[:9] if finest else None


Count = Annotated[int, Field(ge=0, le=10_000_000)] | None


class Counts(Frozen):
    """Numbers that decide a level. None is unknown, and unknown is never zero."""

    dead: Count = None
    missing: Count = None
    seriously_injured: Count = None
    trapped: Count = None
    people_at_risk: Count = None
    loss_cny: Annotated[int, Field(ge=0, le=10**13)] | None = None
    area_ha: Annotated[float, Field(ge=0, le=10**7)] | None = None


CountName = Literal["dead", "missing", "seriously_injured", "trapped", "people_at_risk", "loss_cny", "area_ha"]


class Attested(Frozen):
    """An answer that one party wrote down for another, and how it was heard."""

    on_behalf_of: PartyId
    channel: Channel
    heard_at: AwareDatetime
    recorded_by: Words


class Attachment(Frozen):
    """A picture, a recording or a paper, by reference: the bytes never enter the log."""

    uri: Annotated[str, StringConstraints(max_length=1000)]
    media_type: Identifier
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class Inbound(Frozen):
    """What every message from a party can carry."""

    exercise: bool = False
    occurred_at: AwareDatetime | None = None
    learned_at: AwareDatetime | None = None
    revision: Annotated[int, Field(ge=1, le=10_000)] = 1
    supersedes: Identifier | None = None
    actor: Words | None = None
    role: Words | None = None
    attested: Attested | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=ATTACHMENTS_LIMIT_COUNT)] = ()
