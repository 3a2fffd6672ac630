"""What the five source articles foretold, and the model's answer to each, year by year (``baimo predictions``).

An answer is a number a year in each world; the claim holds in a world and year or not. A claim that the model
contradicts is shown as contradicted: nothing is chosen for its agreement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from baimo.conf.parameters.record import Measures
from baimo.experiments.read import load

YEARS = (2023, 2024, 2025, 2026)
REFERENCE_MODELS = Measures()
#: From which share of worlds a claim counts as borne out, and below which as contradicted.
BORNE_OUT, CONTRADICTED = 2.0 / 3.0, 1.0 / 3.0


@dataclass(frozen=True)
class Prediction:
    """A claim of an article.

    Attributes
    ----------
    article, says : str
    answer : str
        What is read off the model.
    table : {"market", "labs"}
    value : polars.Expr
        The number of a year and world.
    claim : function of an expression
        Whether a value is as foretold.
    years : tuple of int
        Of which the article speaks.
    """

    article: str
    says: str
    answer: str
    table: str
    value: pl.Expr
    claim: Callable[[pl.Expr], pl.Expr]
    years: tuple[int, ...] = YEARS


def above(level: float) -> Callable[[pl.Expr], pl.Expr]:
    """Claim that a value exceeds a level."""
    return lambda value: value > level


def below(level: float) -> Callable[[pl.Expr], pl.Expr]:
    """Claim that a value stays below a level."""
    return lambda value: value < level


def lies_within(low: float, high: float) -> Callable[[pl.Expr], pl.Expr]:
    """Claim that a value lies between two levels."""
    return lambda value: value.is_between(low, high)


def mean(column: str) -> pl.Expr:
    """Mean of a column over a year."""
    return pl.col(column).mean()


def last(column: str) -> pl.Expr:
    """A column at the end of a year."""
    return pl.col(column).last()


def able(level: float, *which: pl.Expr) -> pl.Expr:
    """Labs with a model of a level at the end of a year, of those that ``which`` picks."""
    picked = pl.all_horizontal(
        pl.col("alive"), pl.col("capability") >= level, pl.col("step") == pl.col("step").max(), *which
    )
    return picked.sum()


CN, ROW = pl.col("region") == "CN", pl.col("region") == "ROW"
#: Labs within half an OOM of the best.
LEADERS = ROW & (pl.col("capability") > pl.col("capability").max().over("step") - 0.5)

PREDICTIONS = (
    Prediction(
        "000",
        "open weights follow the closed frontier within a year",
        "months behind the frontier",
        "market",
        last("gap_open_months"),
        below(12.0),
    ),
    Prediction(
        "000",
        "the gap of open weights is narrower in language than in reasoning",
        "reasoning less language, OOM",
        "market",
        (pl.col("gap_open_reasoning") - pl.col("gap_open_language")).last(),
        above(0.0),
    ),
    Prediction(
        "000",
        "the gap of open weights is narrower in knowledge than in reasoning",
        "reasoning less knowledge, OOM",
        "market",
        (pl.col("gap_open_reasoning") - pl.col("gap_open_knowledge")).last(),
        above(0.0),
    ),
    Prediction(
        "000",
        "about three leaders abroad",
        "labs within 0.5 OOM of the best",
        "labs",
        (LEADERS & pl.col("alive") & (pl.col("step") == pl.col("step").max())).sum(),
        lies_within(2, 4),
    ),
    Prediction(
        "000",
        "synthetic data come to be used",
        "share of runs with written data",
        "market",
        mean("synthetic_share_cn"),
        above(0.5),
        (2024, 2025, 2026),
    ),
    Prediction(
        "000",
        "multimodal models end single-modality products",
        "products of one modality, share of those of 2023",
        "market",
        last("apps_single_modality_cn") / mean("apps_alive_cn"),
        below(0.5),
        (2024, 2025, 2026),
    ),
    Prediction("000", "2024 is crazier than 2023", "hype, mean", "market", mean("hype"), above(0.45), (2024,)),
    Prediction(
        "001",
        "the cost of a GPT-4 class run falls ten to twenty times in two years",
        "million USD at the end",
        "market",
        last("gpt4_run_cost_usd"),
        below(10.0),
        (2024,),
    ),
    Prediction(
        "001",
        "within a year all large firms are at the level of GPT-4",
        "big tech at that level, labs",
        "labs",
        able(REFERENCE_MODELS.gpt4_level, CN, pl.col("archetype") == "big_tech"),
        above(4.5),
        (2024,),
    ),
    Prediction(
        "001",
        "apps live three to six months",
        "median lifeline of those that died",
        "market",
        mean("app_lifeline_median_months"),
        lies_within(3.0, 6.0),
    ),
    Prediction("001", "data and users go to one or two", "HHI of users", "market", last("hhi_users_cn"), above(0.4)),
    Prediction(
        "002",
        "few labs train from scratch",
        "labs from scratch",
        "market",
        last("labs_from_scratch_cn"),
        below(10.0),
        (2024, 2025, 2026),
    ),
    Prediction(
        "002",
        "software firms with customers earn first",
        "lead of incumbents in the share that earns a profit",
        "market",
        mean("app_incumbents_profit_lead_cn"),
        above(0.0),
        (2023, 2024),
    ),
    Prediction(
        "003",
        "engineers who tune small models are displaced",
        "engineers displaced",
        "market",
        last("engineers_displaced_cn"),
        above(0.0),
        (2024, 2025, 2026),
    ),
    Prediction(
        "003",
        "data of use gather in one or two models",
        "HHI of data of use",
        "market",
        last("hhi_usage_data_cn"),
        above(0.4),
    ),
    Prediction(
        "003",
        "openness sustains itself",
        "share of releases with open weights",
        "market",
        last("open_release_share_cn"),
        above(0.3),
    ),
    Prediction(
        "004",
        "a batch of labs at GPT-3.5 within 2023",
        "labs at that level",
        "labs",
        able(REFERENCE_MODELS.gpt35_level, CN),
        above(9.5),
        (2023,),
    ),
    Prediction(
        "004",
        "the rush trains people",
        "people trained, thousand",
        "market",
        last("people_trained_cn") / 1000.0,
        above(1.0),
        (2023, 2024),
    ),
)


def answers(where: load.Where) -> pl.DataFrame:
    """The model's answers.

    Returns
    -------
    DataFrame
        ``number``, ``article``, ``says``, ``answer``, ``year``, ``worlds``, ``probability`` (share of worlds in which
        the claim holds), ``median``, ``low``, ``high`` (5% and 95% over worlds), ``foretold`` (whether the article
        speaks of that year).
    """
    tables = {name: load.table(name, where).with_columns(pl.col("date").dt.year().alias("year")) for name in
              {each.table for each in PREDICTIONS}}  # fmt: skip
    found = []
    for number, each in enumerate(PREDICTIONS, 1):
        keys = [key for key in ("run", "replicate", "year") if key in tables[each.table].collect_schema()]
        here = tables[each.table].sort("replicate", "step").filter(pl.col("year").is_in(YEARS))
        by_world = here.group_by(keys, maintain_order=True).agg(each.value.cast(pl.Float64).alias("value"))
        value = pl.col("value")
        by_year = by_world.filter(value.is_finite()).group_by("year").agg(
            pl.len().alias("worlds"),
            each.claim(value).mean().alias("probability"),
            value.median().alias("median"),
            value.quantile(0.05).alias("low"),
            value.quantile(0.95).alias("high"),
        )  # fmt: skip
        said = {"number": number, "article": each.article, "says": each.says, "answer": each.answer}
        words = [pl.lit(text).alias(name) for name, text in said.items()]
        found.append(by_year.with_columns(*words, pl.col("year").is_in(each.years).alias("foretold")).collect())
    columns = (
        "number",
        "article",
        "says",
        "answer",
        "year",
        "worlds",
        "probability",
        "median",
        "low",
        "high",
        "foretold",
    )
    return pl.concat(found).select(columns).sort("number", "year")


def verdicts(frame: pl.DataFrame) -> dict[int, str]:
    """Whether each claim is borne out, open or contradicted, by its mean probability over the years it speaks of."""
    spoken = frame.filter("foretold").group_by("number").agg(pl.col("probability").mean())
    return {number: _verdict(probability) for number, probability in spoken.iter_rows()}


def _verdict(probability: float) -> str:
    if probability >= BORNE_OUT:
        return "borne out"
    return "contradicted" if probability <= CONTRADICTED else "open"
