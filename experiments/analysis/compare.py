"""What a policy does: ``python -m baimo.experiments.compare outputs/no_embargo --baseline outputs/baseline``.

World r of a policy and world r of the baseline are twins (same seed, same random numbers), so the
difference within a pair is the effect of the policy. By month and over windows: its mean with a
bootstrap interval, its spread over worlds, how surely its sign stands, what pairing gained, and how
many worlds a wanted precision takes.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from omegaconf import OmegaConf

from baimo import conf
from baimo.conf.parameters.policy import PolicyGroups
from baimo.experiments.analysis import effect_text, paired
from baimo.experiments.analysis.paired import LAST_YEAR, WHOLE_RUN, Outcome
from baimo.experiments.read import load
from baimo.experiments.run import compose, reports, store
from baimo.experiments.run.compose import UserError

#: What is compared unless columns are named: those of these that both tables have.
COLUMNS = (
    "labs_alive_cn",
    "lab_exits_cn",
    "frontier_cn",
    "gap_cn_oom",
    "gap_cn_months",
    "largest_run_cn_flop",
    "price_gpt35_level",
    "price_flagship_cn",
    "tokens_day_cn",
    "hhi_tokens_cn",
    "share_turbulence_cn",
    "apps_alive_cn",
    "app_survival_median_months",
    "funding_cn",
    "trust_cn",
    "consumer_surplus_cn",
)
WINDOWS = {LAST_YEAR: LAST_YEAR, WHOLE_RUN: WHOLE_RUN}
#: Settings in which runs of one arm may differ.
_NOT_THE_POLICY = ("seed", "worlds", "processes", "block", "experiment_name", "scenario", "output.")
CONF = Path(conf.__file__).parent
_MONTH = r"\d{4}-(0[1-9]|1[0-2])"


class NotComparable(UserError):
    """Tables whose worlds are no twins."""


# ---------------------------------------------------------------------- effects from frames


def effects(
    policy: pl.LazyFrame,
    baseline: pl.LazyFrame,
    columns: Sequence[str] | None = None,
    *,
    windows: Mapping[str, str] | None = None,
    months: bool = True,
    resamples: int = 2000,
    seed: int = 1,
    width: float = 0.05,
) -> pl.DataFrame:
    """Paired effects, policy less baseline, one row a column and period.

    Parameters
    ----------
    policy, baseline : LazyFrame
        Tables with ``replicate, step, date`` and the columns, one row a world and step, such as
        ``load.market`` of one run each. With a column ``seed`` in both, twins share seed and replicate.
    columns : sequence of str, optional
        What is compared; default those of ``COLUMNS`` that both have. Prices and stocks are compared in
        logarithms (see :class:`baimo.experiments.analysis.paired.Outcome`).
    windows : mapping, optional
        Names of windows and what they are: ``"last year"``, ``"whole run"``, a month ``2024-06`` or
        months ``2023-11..2024-12``. A world's value is its mean over the steps of the window.
    months : bool
        Whether every month is a period, too.
    resamples, seed : int
        Of the bootstrap.
    width : float
        Wanted half-width of the 95% interval, as a share of the baseline's mean.

    Returns
    -------
    DataFrame
        ``kind`` (month, window), ``period``, ``first_date``, ``last_date``, ``column``, ``log``, and what
        ``paired.means`` and ``paired.spread`` find; ``boot_low``,
        ``boot_high``; ``replications`` for the wanted width with twins, ``replications_unpaired`` (an arm)
        without; ``q``, the false discovery rate among months or windows.

    Raises
    ------
    NotComparable
        For other steps or dates, missing columns, worlds without some steps, no common worlds.
    """
    chosen = _columns((policy, baseline), columns)
    arms, pairs = _twins(policy, baseline, chosen)
    parts = _periods(arms[0], WINDOWS if windows is None else windows, months)
    values = [_world_means(arm, parts, chosen, pairs) for arm in arms]
    log = np.tile([Outcome(name).log for name in chosen], parts.height)
    *values, log = paired.in_logs(*values, log)
    found = paired.means(*values) | paired.spread(*values)
    found["boot_low"], found["boot_high"] = paired.bootstrap(*values, resamples, seed)
    found |= _replications(found, log, width)
    keys = parts.select("kind", "period", "first_date", "last_date").select(pl.all().repeat_by(len(chosen)).explode())
    table = keys.with_columns(
        pl.Series("column", chosen * parts.height),
        pl.Series("log", log),
        *(pl.Series(name, each).fill_nan(None) for name, each in found.items()),
    )
    return paired.with_q(table, ("kind",)).with_columns(pl.col("q").fill_nan(None))


def _replications(found: Mapping[str, np.ndarray], log: np.ndarray, width: float) -> dict[str, np.ndarray]:
    """Worlds for the wanted half-width, with twins and, an arm, without."""
    wanted = np.where(log, np.log1p(width), width * np.abs(found["without"]))
    known = np.where(wanted > 0.0, wanted, np.nan)
    return {
        "replications": paired.replications(found["deviation"], known),
        "replications_unpaired": paired.replications(found["deviation_unpaired"], known),
    }


def _columns(frames: Iterable[pl.LazyFrame], columns: Sequence[str] | None) -> list[str]:
    """Columns that are compared, checked against what there is; patterns such as ``hhi_*`` are filled in."""
    schemas = [frame.collect_schema() for frame in frames]
    for there in schemas:
        for key in ("replicate", "step", "date"):
            if key not in there:
                raise NotComparable(f"no column {key!r}: what is compared has one row a world (replicate) and step")
    numbers = [name for name, kind in schemas[0].items() if kind.is_numeric() and name not in (*store.KEYS, "seed")]
    there = [name for name in numbers if name in schemas[1]]
    if columns is None:
        columns = [name for name in COLUMNS if name in there] or there
    chosen: dict[str, None] = {}
    for word in columns:
        matching = fnmatch.filter(there, word)
        if not matching:
            lost = [name for name in (*numbers, *schemas[1]) if fnmatch.fnmatch(name, word)]
            near = difflib.get_close_matches(word, there, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise NotComparable(
                f"column {word}: only one of the two tables has it" if lost else f"column {word}: there is none{hint}"
            )
        chosen |= dict.fromkeys(matching)
    if not chosen:
        raise NotComparable("no column of numbers that both tables have")
    return list(chosen)


def _twins(policy: pl.LazyFrame, baseline: pl.LazyFrame, columns: Sequence[str]) -> tuple[list[pl.DataFrame], list]:
    """Both tables, collected, with the worlds that they share only, and the keys of a world."""
    seeds = ["seed" in frame.collect_schema() for frame in (policy, baseline)]
    pairs = ["seed", "replicate"] if all(seeds) else ["replicate"]
    arms = []
    for name, frame in (("policy", policy), ("baseline", baseline)):
        arm = frame.select(*pairs, "step", "date", *(pl.col(each).cast(pl.Float64) for each in columns))
        arm = arm.collect(engine="streaming")
        _whole(arm, pairs, name)
        arms.append(arm)
    steps = [arm.select("step", "date").unique().sort("step", "date") for arm in arms]
    if not steps[0].equals(steps[1]):
        said = (f"{each.height} from {each['date'].min()} to {each['date'].max()}" for each in steps)
        raise NotComparable(f"not the same steps: {' against '.join(said)}")
    common = arms[0].select(pairs).unique().join(arms[1].select(pairs).unique(), on=pairs)
    if not common.height:
        raise NotComparable("no common replicates: no world of the policy has a twin in the baseline")
    return [arm.join(common, on=pairs, how="semi") for arm in arms], pairs


def _whole(arm: pl.DataFrame, pairs: Sequence[str], name: str) -> None:
    """Every world has every step, once."""
    if not arm.height:
        raise NotComparable(f"{name}: the table is empty")
    steps = arm["step"].n_unique()
    counts = arm.group_by(pairs).agg(pl.len(), pl.col("step").n_unique().alias("steps"))
    twice = counts.filter(pl.col("len") > pl.col("steps"))
    if twice.height:
        raise NotComparable(f"{name}: several rows a world and step; give one run (filter on run), or a column seed")
    short = counts.filter(pl.col("steps") < steps).sort(pairs)
    if short.height:
        raise NotComparable(
            f"{name}: incomplete, world {short['replicate'][0]} has {short['steps'][0]} of {steps} steps"
        )


def _periods(arm: pl.DataFrame, windows: Mapping[str, str], months: bool) -> pl.DataFrame:
    """Windows and months with the steps that lie in them: ``kind, period, steps, first_date, last_date``."""
    days = arm.select("step", "date").unique().sort("step")
    last, parts = days["date"].max(), []
    for name, what in windows.items():
        inside = days.filter(paired.within(check_window(what), last))
        if not inside.height:
            raise NotComparable(
                f"window {name}: no step lies in {what}; the run goes from {days['date'].min()} to {last}"
            )
        parts.append({"kind": "window", "period": name, "steps": inside["step"].to_list()})
    if months:
        by_month = days.group_by(pl.col("date").dt.to_string("%Y-%m").alias("period"), maintain_order=True)
        parts += [{"kind": "month"} | row for row in by_month.agg(pl.col("step").alias("steps")).to_dicts()]
    if not parts:
        raise NotComparable("nothing to compare over: give windows or months")
    dates = dict(days.iter_rows())
    ends = [{"first_date": dates[min(each["steps"])], "last_date": dates[max(each["steps"])]} for each in parts]
    return pl.DataFrame([part | end for part, end in zip(parts, ends, strict=True)])


def check_window(what: str) -> str:
    """A window as it is written, checked.

    Raises
    ------
    UserError
        When it is no known name, month, or range of months in order.

    Examples
    --------
    >>> check_window("2023-11..2024-12")
    '2023-11..2024-12'
    """
    first, dots, until = what.partition("..")
    good = re.fullmatch(_MONTH, first) and (not dots or (re.fullmatch(_MONTH, until) and first <= until))
    if what not in (LAST_YEAR, WHOLE_RUN) and not good:
        raise UserError(
            f"window {what}: write a month 2024-06, months 2023-11..2024-12, {LAST_YEAR!r} or {WHOLE_RUN!r}"
        )
    return what


def _world_means(arm: pl.DataFrame, parts: pl.DataFrame, columns: Sequence[str], pairs: Sequence[str]) -> np.ndarray:
    """Means over periods, ``(worlds, periods x columns)``, worlds in the order of their keys."""
    index = parts.select(pl.int_range(pl.len()).alias("part"), pl.col("steps").alias("step")).explode("step")
    index = index.cast({"step": arm.schema["step"]})
    means = (
        arm.join(index, on="step")
        .group_by("part", *pairs)
        .agg(pl.col(columns).mean())  # nulls are left out
        .sort(*pairs, "part")
    )
    return means.select(columns).to_numpy().reshape(-1, parts.height * len(columns))


# ---------------------------------------------------------------------- arms from folders


@dataclass(frozen=True)
class Arm:
    """Runs of one policy, a run a seed.

    Parameters
    ----------
    label : str
    runs : dict of int to Path
        Folders by seed.
    settings : dict
        What makes the arm: settings by their dotted keys, without the seed.
    """

    label: str
    runs: dict[int, Path]
    settings: dict[str, Any]

    def market(self) -> pl.LazyFrame:
        """Its market table, with the seed."""
        scans = [
            load.market(folder).with_columns(pl.lit(seed, pl.Int64).alias("seed")) for seed, folder in self.runs.items()
        ]
        return pl.concat(scans, how="diagonal_relaxed")


def arms(where: Sequence[load.Where], baseline: Sequence[load.Where]) -> tuple[list[Arm], Arm]:
    """Policies and the baseline they are compared with, checked for being twins.

    Raises
    ------
    NotComparable
        When there is no complete run, or seeds, steps, clock or model code differ.
    """
    try:
        before, runs = load.readable(*baseline), load.readable(*where)
    except UserError as error:
        raise NotComparable(str(error)) from error
    known = {folder.resolve() for folder in before}
    found = grouped([folder for folder in runs if folder.resolve() not in known])
    if not found:
        raise NotComparable("nothing to compare: all these runs are the baseline itself")
    base = grouped(before)
    if len(base) > 1:
        differ = ", ".join(differences(base[1], base[0])[:3])
        raise NotComparable(f"--baseline: {len(base)} different settings ({differ}); give one")
    found = _labelled(found, base[0])
    for arm in found:
        _check_twins(arm, base[0])
    return found, base[0]


def grouped(folders: Iterable[Path]) -> list[Arm]:
    """Runs gathered by what they have in common but for the seed."""
    arms: dict[str, Arm] = {}
    for folder in folders:
        config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
        settings = _settings(config)
        key = repr((config.get("scenario"), sorted(settings.items(), key=lambda item: item[0])))
        arm = arms.setdefault(key, Arm(str(config.get("scenario")), {}, settings))
        seed = int(config["seed"])
        if seed in arm.runs:
            raise NotComparable(f"{arm.runs[seed]} and {folder}: the same settings and seed twice; give one of them")
        arm.runs[seed] = folder
    return list(arms.values())


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """What makes an arm, of a resolved configuration."""
    return {key: value for key, value in store.leaves(config) if not key.startswith(_NOT_THE_POLICY)}


def arms_among(where: Sequence[load.Where]) -> tuple[list[Arm], Arm | None]:
    """Policies and their baseline among runs of both: the arm whose settings are those of ``conf`` today.

    Settings that all the runs share may differ from those of today. The baseline is None, and all are policies,
    where there is no such arm or no other.
    """
    found = grouped(load.run_folders(*where))
    today = _settings(store.plain(compose.settings([])))
    shared = {key for key in today if len({repr(arm.settings.get(key)) for arm in found}) == 1}
    base = [arm for arm in found if all(arm.settings.get(key) == today[key] for key in {*today} - shared)]
    if len(found) < 2 or len(base) != 1:
        return labelled(found), None
    found = _labelled([arm for arm in found if arm is not base[0]], base[0])
    for arm in found:
        _check_twins(arm, base[0])
    return found, base[0]


def labelled(found: Sequence[Arm]) -> list[Arm]:
    """Arms without a baseline, named apart from the first."""
    return [*found[:1], *_labelled(found[1:], found[0])] if len(found) > 1 else [*found]


def _labelled(found: Sequence[Arm], base: Arm) -> list[Arm]:
    """Names that tell the arms from each other and from the baseline: scenarios, else what is set otherwise."""
    names = [arm.label for arm in (*found, base)]
    labels = [_label(arm, base) if names.count(arm.label) > 1 else arm.label for arm in found]
    runs = [min(folder.name for folder in arm.runs.values()) for arm in found]
    labels = [f"{label} {run}" if labels.count(label) > 1 else label for label, run in zip(labels, runs, strict=True)]
    return [replace(arm, label=label) for arm, label in zip(found, labels, strict=True)]


def _label(arm: Arm, base: Arm) -> str:
    """``embargo=none, price_sensitivity=3``: policies by their alternatives, other settings by their values."""
    parts = {} if arm.label == base.label else {arm.label: None}
    for each in differences(arm, base):
        key, _, value = each.partition("=")
        section, group, *_ = [*key.split("."), ""]
        names = {f"{key.rpartition('.')[2]}={value}": None}
        if section == "policy":
            name, besides = nearest(group, arm)
            same = name == nearest(group, base)[0]
            names = {} if same and besides else {f"{group}={name}": None}
            typed = {key: "null" if value is None else value for key, value in besides.items()}
            names |= {f"{key.rpartition('.')[2]}={value}": None for key, value in typed.items()}
        parts |= {name if len(name) <= 40 else f"{name[:37]}...": None for name in names}
    return ", ".join([*parts][:4]) + (", ..." if len(parts) > 4 else "")


def alternative(group: str, arm: Arm) -> str:
    """Name of the alternative of a policy group that an arm has, ``own`` for none of those in ``conf/policy``."""
    mine = {key: value for key, value in arm.settings.items() if key.startswith(f"policy.{group}.")}
    return next((name for name, its in _alternatives(group).items() if its == mine), "own")


def nearest(group: str, arm: Arm) -> tuple[str, dict[str, Any]]:
    """The alternative of a policy group that an arm has but for a setting or two, and these; else ``own``."""
    mine = {key: value for key, value in arm.settings.items() if key.startswith(f"policy.{group}.")}
    others = {
        name: {key: value for key, value in mine.items() if its.get(key) != value}
        for name, its in _alternatives(group).items()
    }
    # Of equals the one that differs in its dates only.
    dated = {name: sum(key.rpartition(".")[2] in ("since", "until") for key in each) for name, each in others.items()}
    name = min(others, key=lambda name: (len(others[name]), -dated[name]), default="own")
    return (name, others[name]) if others and len(others[name]) <= 2 else ("own", {})


@cache
def _alternatives(group: str) -> dict[str, dict[str, Any]]:
    """Settings of all alternatives of a policy group."""
    names = sorted(file.stem for file in (CONF / "policy" / group).glob("*.yaml"))
    plain = {name: OmegaConf.to_container(_written(group, name), enum_to_str=True) for name in names}
    return {name: dict(store.leaves({"policy": {group: each}})) for name, each in plain.items()}


def _written(group: str, name: str) -> Any:
    """An alternative over those that it names in its defaults, over a policy of nothing."""
    file = OmegaConf.load(CONF / "policy" / group / f"{name}.yaml")
    config = OmegaConf.structured(PolicyGroups)[group]
    for other in file.pop("defaults", []):
        config = config if other == "_self_" else _written(group, other)
    return OmegaConf.merge(config, file)


def differences(arm: Arm, base: Arm) -> list[str]:
    """Settings in which a policy differs from the baseline, ``key=value``."""
    keys = [*arm.settings, *(key for key in base.settings if key not in arm.settings)]
    return [f"{key}={arm.settings.get(key)}" for key in keys if arm.settings.get(key) != base.settings.get(key)]


def _check_twins(arm: Arm, base: Arm) -> None:
    for key, name in (("steps", "numbers of steps"), ("start", "first months"), ("clock", "clocks")):
        mine, its = arm.settings.get(key), base.settings.get(key)
        if mine != its:
            raise NotComparable(f"{arm.label}: different {name}, {key}={mine} against {its} in the baseline")
    if _design(arm) != _design(base):
        raise NotComparable(
            f"{arm.label}: worlds of a design are no twins, by their numbers, of those of other runs; "
            "join load.design to its tables"
        )
    alone = sorted(set(arm.runs) - set(base.runs))
    if alone:
        raise NotComparable(
            f"{arm.label}: different seeds, seed={alone[0]} is not among the baseline's "
            f"({', '.join(map(str, sorted(base.runs)))}); its worlds are no twins"
        )
    for seed, folder in arm.runs.items():
        code = [(store.manifest(each) or {}).get("code_version") for each in (folder, base.runs[seed])]
        if code[0] != code[1]:
            raise NotComparable(
                f"{arm.label}: different model code ({code[0]} against {code[1]} in the baseline); run both again"
            )


def _design(arm: Arm) -> dict[str, Any]:
    return {key: value for key, value in arm.settings.items() if key.startswith("design.")}


def compare(where: Sequence[load.Where], baseline: Sequence[load.Where], **options: Any) -> pl.DataFrame:
    """Effects of all policies at ``where`` against the baseline, with a first column ``policy``.

    Parameters
    ----------
    where, baseline : sequence of str or path
        As in :func:`baimo.experiments.read.load.run_folders`. Runs that differ in the seed only are one arm.
    **options
        Of :func:`effects`.
    """
    found, base = arms(where, baseline)
    return between(found, base, options)


def between(
    found: Sequence[Arm], base: Arm, options: Mapping[str, Any], against: Mapping[str, Arm] | None = None
) -> pl.DataFrame:
    """What :func:`compare` gives, for arms that :func:`arms` found; ``against`` names other baselines of some."""
    try:
        pairs = [(arm, (against or {}).get(arm.label, base)) for arm in found]
        tables = [
            effects(arm.market(), its.market(), **options).select(pl.lit(arm.label).alias("policy"), pl.all())
            for arm, its in pairs
        ]
    except (FileNotFoundError, ValueError) as error:  # another schema, no market table
        raise error if isinstance(error, UserError) else NotComparable(str(error)) from error
    # One family of tests over all policies.
    return paired.with_q(pl.concat(tables).drop("q"), ("kind",)).with_columns(pl.col("q").fill_nan(None))


# ---------------------------------------------------------------------- the command


def main(words: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = reports.Parser(
        prog="python -m baimo.experiments.compare", description=__doc__.split("\n")[0], allow_abbrev=False
    )
    parser.add_argument("runs", nargs="+", help="folders of runs or experiments, or globs of these")
    parser.add_argument("--baseline", nargs="+", required=True, help="the runs they are compared with")
    parser.add_argument("--columns", default="", help="columns of the market table, with commas; hhi_* for several")
    parser.add_argument("--windows", default="", help="with commas: after=2023-11..2024-12,2024-06,last year")
    parser.add_argument("--no-months", action="store_true", help="windows only")
    parser.add_argument("--resamples", type=int, default=2000, help="of the bootstrap (default 2000)")
    parser.add_argument("--seed", type=int, default=1, help="of the bootstrap (default 1)")
    parser.add_argument("--width", type=float, default=0.05, help="wanted half-width, share of the baseline's mean")
    parser.add_argument("--to", default="", help="folder for the files (default comparison/ beside the runs)")
    flags = parser.parse_args(words)
    return reports.command("compare", lambda: _report(flags), ())


def _options(flags: Any) -> dict[str, Any]:
    """Options of :func:`effects` from a command line."""
    if flags.resamples < 100:
        raise UserError(f"--resamples {flags.resamples}: must be at least 100")
    if flags.seed < 0:
        raise UserError(f"--seed {flags.seed}: must be at least 0")
    if not 0.0 < flags.width < 10.0:
        raise UserError(f"--width {flags.width}: must be above 0, such as 0.05")
    windows = {}
    for word in (word.strip() for word in flags.windows.split(",") if word.strip()):
        name, _, what = word.rpartition("=")
        windows[name or word] = check_window(what)
    return {
        "columns": [word.strip() for word in flags.columns.split(",") if word.strip()] or None,
        "windows": WINDOWS | windows,
        "months": not flags.no_months,
        "resamples": flags.resamples,
        "seed": flags.seed,
        "width": flags.width,
    }


def _report(flags: Any) -> Path:
    """Compare, write and print; returns the folder of the files."""
    options = _options(flags)
    found, base = arms(flags.runs, flags.baseline)
    frame = between(found, base, options)
    facts = {
        "options": options,
        "baseline": sorted(run.name for run in base.runs.values()),
        "compared": [[arm.label, sorted(run.name for run in arm.runs.values())] for arm in found],
    }
    first = next(iter(found[0].runs.values()))
    place = Path(flags.to) if flags.to else first.parents[1] / "comparison"
    code = [Path(__file__).with_name(name) for name in ("compare.py", "paired.py", "effect_text.py")]
    folder = reports.report_folder(place, facts, code)
    header = effect_text.Header(
        baseline=base.label,
        seeds=sorted(base.runs),
        width=options["width"],
        policies={arm.label: differences(arm, base) for arm in found},
    )

    def fill(part: Path) -> None:
        frame.write_parquet(part / "effects.parquet")
        (part / "effects.md").write_text(effect_text.markdown(frame, header), encoding="utf-8")
        (part / "effects.tex").write_text(effect_text.latex(frame, header), encoding="utf-8")

    fresh = reports.write(folder, facts, fill)
    print(effect_text.terminal(frame, header))
    print(f"{'files' if fresh else 'already there'}   {folder}")
    return folder


if __name__ == "__main__":
    sys.exit(main())
