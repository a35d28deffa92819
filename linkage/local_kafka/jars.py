"""The broker's jars: from KAFKA_HOME, or resolved once by `jgo` into the cache."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from linkage.local_kafka.errors import DiskFull, JarsUnavailable
from linkage.local_kafka.preconditions import full_disk_named
from linkage.local_kafka.processes import exclusive

KAFKA_VERSION = "4.1.1"
JARS = (
    ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
    # Resolved by itself: together with kafka it brings kafka-clients 3.8, and the broker dies.
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"),
)
REQUEST_LIMIT_S = 30
RESOLVE_LIMIT_S = 600


def cache_dir() -> Path:
    """LINKAGE_CACHE_DIR, or `linkage` in the user's cache folder."""
    own = os.environ.get("LINKAGE_CACHE_DIR")
    if own:
        return Path(own).expanduser().resolve()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "linkage"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linkage"


def class_path(progress: Callable[[str], None]) -> str:
    """The joined class path. Raises `JarsUnavailable`, also for a wrong KAFKA_HOME, and `DiskFull`."""
    home = os.environ.get("KAFKA_HOME")
    folder = _of_home(Path(home).expanduser().resolve()) if home else _of_cache(cache_dir(), progress)
    return os.pathsep.join(str(jar) for jar in sorted(folder.glob("*.jar")))


def _of_home(home: Path) -> Path:
    if not any((home / "libs").glob("kafka_2.13-4.*.jar")):
        raise JarsUnavailable(
            f"KAFKA_HOME is {home}, but there is no libs/kafka_2.13-4.*.jar in it. "
            "Point it at an unpacked Apache Kafka 4.1, or unset it to have the jars fetched."
        )
    return home / "libs"


def _of_cache(cache: Path, progress: Callable[[str], None]) -> Path:
    jars = cache / f"kafka-{KAFKA_VERSION}"
    if jars.is_dir():
        return jars
    with exclusive(cache, wait_limit_s=RESOLVE_LIMIT_S):
        if not jars.is_dir():
            progress(f"fetching Apache Kafka {KAFKA_VERSION} (once, 45 MB) into {cache}")
            _resolve(cache, jars)
    return jars


def _resolve(cache: Path, jars: Path) -> None:
    """Fetch into a folder beside it and rename that at the end: a jar cut short by a kill is never used."""
    partial = jars.with_name(f"{jars.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with full_disk_named(cache):
            (partial / "jars").mkdir(parents=True)
            for coordinates in JARS:
                for jar in _fetch(coordinates, partial):
                    shutil.copy2(jar, partial / "jars" / jar.name)
            (partial / "jars").replace(jars)
    except DiskFull:
        raise
    except Exception as error:  # jgo fails in many ways: requests, XML, asserts
        raise JarsUnavailable(
            f"Can't fetch the jars of Apache Kafka {KAFKA_VERSION}: {_root_of(error)}. Run this once with a network "
            "(HTTPS_PROXY is heeded, LINKAGE_MAVEN_URL names a mirror), "
            "or unpack Apache Kafka 4.1 and set KAFKA_HOME to it."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fetch(coordinates: tuple[str, str, str], partial: Path) -> list[Path]:
    """The jar and all it runs with. Only jgo's resolver: its environments fetch a whole JDK to sort the jars with."""
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import Dependency, MavenContext

    context = MavenContext(
        repo_cache=partial / "repository",
        remote_repos={"central": os.environ.get("LINKAGE_MAVEN_URL", MAVEN_CENTRAL_URL)},
        timeout=REQUEST_LIMIT_S,
    )
    group, artifact, version = coordinates
    wanted = Dependency(context.project(group, artifact).at_version(version).artifact())
    itself, needed = context.resolver.resolve([wanted])
    return [one.artifact.resolve() for one in (*itself, *needed)]


def _root_of(error: BaseException) -> str:
    """The innermost cause, in one line: a proxy that refuses says so there."""
    reason = error
    while isinstance(inner := reason.__cause__ or reason.__context__, BaseException):
        reason = inner
    return f"{type(reason).__name__}: {' '.join(str(reason).split())[:300]}"
