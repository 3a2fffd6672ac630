"""Welfare of users: log-sum consumer surplus and what changed it.

The model records ``consumer_surplus_cn``, the log-sum of Small and Rosen (1981) over segments s,
CS = sum_s n_s arpu_s (L_s - e_s - o_s) / alpha a month (recorded: times the months of a step), L the log of the sum
over models of exp utility, o the utility of the old tools, e what users only expect of names where they do not trust
the system, or not of them where they do (Train 2015: choices are made by what is expected, welfare is what is had).
The parts into which its change is divided here are an approximation, because segments are not recorded one by one:
see :func:`decomposition`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from baimo.experiments.measures import frames

_COLUMNS = (
    "consumer_surplus_cn",
    "users_cn",
    "price_flagship_cn",
    "price_light_cn",
    "tokens_light_share_cn",
    "hhi_tokens_cn",
)
PARTS = ("adoption", "price", "variety", "quality")


@dataclass(frozen=True)
class Demand:
    """Parameters of demand that the approximation needs.

    Parameters
    ----------
    sensitivity : float
        alpha, on the log of the price (``model_market.price_sensitivity``).
    correlation : float
        Of models within a nest (``model_market.nest_correlation``).
    hassle : float
        Cost of use beside the price, CNY/Mtok (``model_market.hassle_cost``).
    stake : float
        CNY a user and month on which a change of the log of the price tells: arpu, mean over users, times how far
        they see prices.
    months : float
        Months a step.
    """

    sensitivity: float
    correlation: float
    hassle: float
    stake: float
    months: float = 1.0

    @classmethod
    def of(cls, config: dict) -> Demand:
        """From the settings of a run (its ``config.yaml``, as dictionaries).

        Users are taken to be spread over segments as at full diffusion (population times ceiling).

        Examples
        --------
        >>> market = {"price_sensitivity": 2.0, "nest_correlation": 0.5, "hassle_cost": 1.0, "free_insensitive": 0.5}
        >>> users = [{"population": each, "ceiling": 1.0, "arpu": 10.0, "free": 1.0} for each in (30.0, 60.0)]
        >>> Demand.of({"model_market": market, "segments": users, "clock": "month"}).stake
        5.0
        """
        market, weights, stakes = config["model_market"], [], []
        for each in config["segments"]["segments"] if "segments" in config["segments"] else config["segments"]:
            weights.append(each["population"] * each["ceiling"])
            stakes.append(each["arpu"] * (1.0 - market["free_insensitive"] * each["free"]))
        stake = sum(w * s for w, s in zip(weights, stakes, strict=True)) / sum(weights)
        months = 1.0 if config["clock"] == "month" else 12.0 * 7.0 / 365.25
        return cls(market["price_sensitivity"], market["nest_correlation"], market["hassle_cost"], stake, months)


def surplus(market: pl.LazyFrame) -> pl.LazyFrame:
    """Consumer surplus and what of it a user has.

    Returns
    -------
    LazyFrame
        Keys, ``surplus`` (CNY million a step), ``users`` (million), ``surplus_per_user`` (CNY a step; null without
        users), ``models`` (numbers equivalent 1/HHI of tokens), ``light`` (share of tokens), ``log_flagship`` and
        ``log_light`` (logs of the two prices).
    """
    frames.needs(market, *_COLUMNS)
    return market.select(*frames.moments(market), *_state(0.0))


def _state(hassle: float) -> list[pl.Expr]:
    users = pl.col("users_cn")
    return [
        pl.col("consumer_surplus_cn").alias("surplus"),
        users.alias("users"),
        pl.when(users > 0.0).then(pl.col("consumer_surplus_cn") / users).alias("surplus_per_user"),
        (1.0 / pl.col("hhi_tokens_cn")).alias("models"),
        pl.col("tokens_light_share_cn").fill_null(0.0).alias("light"),
        (pl.col("price_flagship_cn") + hassle).log().alias("log_flagship"),
        (pl.col("price_light_cn") + hassle).log().alias("log_light"),
    ]


def decomposition(after: pl.LazyFrame, before: pl.LazyFrame, demand: Demand, on: tuple[str, ...]) -> pl.LazyFrame:
    """Decomposition of the change in consumer surplus: adoption, price, variety, quality.

    With n users who have v each, Bennet's (1920) exact split at means of the two states (bars)::

        adoption = v_bar (n' - n)              more users
        price    = -n_bar w sum_k z_bar_k (ln p'_k - ln p_k)   k flagship and light, z their shares of tokens,
                                               hassle included: Toernqvist's (1936) index, at one mix of the two
        variety  = n_bar w (1 - sigma) / alpha (ln N' - ln N)     N = 1 / HHI models of equal size
        quality  = n_bar (v' - v) - price - variety

    w is the stake of :class:`Demand` times the months of a step. The four sum to the change exactly. Approximate is
    where the lines between the last three run: one user with the mean stake stands for all segments; list prices of
    two classes weighted by tokens stand for the prices that each segment's users see; (1 - sigma) ln N is the
    gain of variety in one nest of equal models; *quality* is the rest, and takes in awareness, trust, filing, borders
    and the shift of users between segments and between flagship and light models.

    Parameters
    ----------
    after, before : LazyFrame
        Market tables.
    demand : Demand
    on : tuple of str
        Keys on which their rows are matched. See :func:`over_time` and :func:`between`.

    Returns
    -------
    LazyFrame
        Keys of ``after``, ``change`` (CNY million a step), ``adoption``, ``price``, ``variety``, ``quality``.
    """
    frames.needs(after, *_COLUMNS, *on)
    frames.needs(before, *_COLUMNS, *on)
    state = _state(demand.hassle)
    names = [each.meta.output_name() for each in state]
    now = after.select(*frames.moments(after), *state)
    then = before.select(*on, *state).rename({name: f"{name}_before" for name in names})
    return _bennet(now.join(then, on=list(on)), frames.moments(after), demand)


def _change(name: str) -> pl.Expr:
    return pl.col(name) - pl.col(f"{name}_before")


def _mean(name: str) -> pl.Expr:
    return (pl.col(name) + pl.col(f"{name}_before")) / 2.0


def _bennet(both: pl.LazyFrame, keys: Sequence[str], demand: Demand) -> pl.LazyFrame:
    """The split of the change between two states that stand side by side, the earlier as ``<name>_before``."""
    worth = _mean("users") * demand.stake * demand.months
    spread = (1.0 - demand.correlation) / demand.sensitivity
    # No users, no value each: all that comes is adoption.
    each = [pl.col(name).fill_null(0.0) for name in ("surplus_per_user", "surplus_per_user_before")]
    # A class that is not sold at one of the two times has no change of price.
    rises = {name: _change(f"log_{name}").fill_null(0.0) for name in ("flagship", "light")}
    index = (1.0 - _mean("light")) * rises["flagship"] + _mean("light") * rises["light"]
    parts = both.select(
        *keys,
        _change("surplus").alias("change"),
        ((each[0] + each[1]) / 2.0 * _change("users")).alias("adoption"),
        (-worth * index).alias("price"),
        (worth * spread * (pl.col("models") / pl.col("models_before")).log()).alias("variety"),
    )
    rest = pl.col("change") - pl.col("adoption") - pl.col("price") - pl.col("variety")
    return frames.sorted_by(parts, keys).with_columns(rest.alias("quality"))


def over_time(market: pl.LazyFrame, demand: Demand, *, lag: int = 12) -> pl.LazyFrame:
    """:func:`decomposition` of the change over so many steps, in each world."""
    world = frames.worlds(market)
    return decomposition(market, market.with_columns(pl.col("step") + lag), demand, (*world, "step"))


def between(policy: pl.LazyFrame, baseline: pl.LazyFrame, demand: Demand) -> pl.LazyFrame:
    """:func:`decomposition` of the effect of a policy, in each world and step against the same one of the baseline.

    Both are tables of one run each.
    """
    return decomposition(policy, baseline, demand, ("replicate", "step"))
