"""`linkage schemas write|check`: the public contract as files, from the code as it is."""

from pathlib import Path
from typing import Annotated

import typer

from linkage.cli.options import DIFFERENCE, JsonOption
from linkage.cli.show import print_json, print_line

FOLDER_DEFAULT = Path("schemas")

FolderArgument = Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the files are.")]


def add(app: typer.Typer) -> None:
    schemas = typer.Typer(help="JSON Schemas and the AsyncAPI document. 接口规范", no_args_is_help=True)
    schemas.command("write")(write_command)
    schemas.command("check")(check_command)
    app.add_typer(schemas, name="schemas")


def write_command(folder: FolderArgument = FOLDER_DEFAULT, as_json: JsonOption = False) -> None:
    """Writes a JSON Schema for every message and fact, and asyncapi.yaml; removes what is no longer generated. 生成"""
    from linkage.contract import documents, write

    changed = write(folder)
    if as_json:
        print_json({"folder": str(folder), "files": len(documents()), "changed": changed})
        return
    for name in changed:
        print_line(f"changed  {name}")
    print_line(f"{folder}: {len(documents())} files, {len(changed)} changed")


def check_command(folder: FolderArgument = FOLDER_DEFAULT, as_json: JsonOption = False) -> None:
    """Names every file that is not as the code would write it. Exit code 1 when there is one. 检查"""
    from linkage.contract import differences

    found = differences(folder)
    if as_json:
        print_json({"folder": str(folder), "differences": found})
    else:
        for difference in found:
            print_line(difference)
        print_line(
            f"{folder}: {len(found)} files differ; run `linkage schemas write {folder}` and look at what changed"
            if found
            else f"{folder}: current 一致"
        )
    if found:
        raise typer.Exit(DIFFERENCE)
