"""`linkage seeds`: a made-up county, broken on purpose, one way for each seed; afterwards everything must be exact."""

from typing import Annotated

import typer

from linkage.cli.options import DIFFERENCE

PROGRESS_EVERY_SEEDS = 100


def add(app: typer.Typer) -> None:
    app.command("seeds")(seeds)


def seeds(
    first: Annotated[int, typer.Option("--from", help="The first seed.")] = 0,
    count: Annotated[int, typer.Option(help="How many.")] = 100,
    processes: Annotated[int, typer.Option(help="Processes that run them.")] = 2,
    floor: Annotated[int, typer.Option(help="Fail when a kind of fault struck less often than this in all.")] = 0,
    shrink: Annotated[bool, typer.Option(help="Make the plan of the first failing seed smaller.")] = True,
    workers: Annotated[int | None, typer.Option(help="With one seed: so many workers.")] = None,
    only_faults: Annotated[str | None, typer.Option(help="With one seed: these faults, as 1,4 or none.")] = None,
    only_reports: Annotated[str | None, typer.Option(help="With one seed: these reports, as 1,4 or none.")] = None,
) -> None:
    """Reports, answers, silence and faults drawn from each seed; then audit, verify, and nothing may be left open."""
    from linkage.cli.seed_runs import Tally, run_seeds

    if only_faults is not None or only_reports is not None or workers is not None:
        _one(first, workers, only_faults, only_reports)
        return
    tally = Tally()
    for outcome in run_seeds(first, count, processes):
        tally.add(outcome)
        if outcome.wrong:
            typer.echo(f"seed {outcome.plan.seed} failed: {outcome.wrong[0]}")
        if tally.seeds % PROGRESS_EVERY_SEEDS == 0:
            typer.echo(f"{tally.seeds} of {count} seeds, {tally.failed} failed")
    typer.echo("\n".join(tally.lines()))
    rare = tally.too_rare(floor)
    if rare:
        typer.echo(f"struck less than {floor} times: {', '.join(rare)}")
    for failure in tally.failures:
        typer.echo(f"repeat it with: {failure.command}")
    if tally.failures and shrink:
        failure = tally.failures[0]
        smaller = failure.smaller()
        typer.echo("\n".join(["a smaller plan that fails:", *smaller.lines(), failure.smaller_command(smaller)]))
    if tally.failures or rare:
        raise typer.Exit(DIFFERENCE)


def _one(seed: int, workers: int | None, faults: str | None, reports: str | None) -> None:
    """Part of one seed's plan."""
    from linkage.cli.judging import judged
    from linkage.cli.seed_runs import silence_loops
    from linkage.simulation import plans, seeds

    silence_loops()
    whole = plans.plan(seed)
    plan = whole.only(_numbers(reports, whole.reports), _numbers(faults, whole.fault_numbers), workers)
    outcome = seeds.run(plan, judged)
    typer.echo("\n".join([*plan.lines(), f"{outcome.steps} steps, {outcome.facts} facts"]))
    for wrong in outcome.wrong:
        typer.echo(wrong)
    if outcome.wrong:
        raise typer.Exit(DIFFERENCE)


def _numbers(listed: str | None, all_of_them: tuple[int, ...]) -> tuple[int, ...]:
    if listed is None:
        return all_of_them
    try:
        numbers = () if listed == "none" else tuple(int(number) for number in listed.split(","))
    except ValueError:
        raise typer.BadParameter(f"{listed!r}: write numbers with commas between, or none") from None
    if unknown := set(numbers) - set(all_of_them):
        raise typer.BadParameter(f"this seed's plan has no {sorted(unknown)}; it has 0 to {len(all_of_them) - 1}")
    return numbers
