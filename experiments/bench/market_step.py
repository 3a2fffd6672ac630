"""The market step on the columns: what ``plain_mesa`` is compared with.

Pricing, demand by segment, choice of base and exit of the model, by its own functions, in a block of
worlds taken from the baseline after two years. The rest of the model stands still: capabilities, costs,
the number of users, who may be used where, and what apps add. Left out of demand are those who hang on a hub,
memory of past shares, what the old tools still do, and where a model runs; left out of the apps' market is
the filing of apps. Whoever closes has a successor with the same idea and a purse of its own, so that the
market stays as large as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from baimo.agents.enums import ALIVE, ALL_OPEN, API, MISSING
from baimo.world.apps import choice, competition, lifecycle
from baimo.world.apps.app_segments import segment_of_apps
from baimo.world.engine.arrays import (
    Array,
    dot_k,
    herfindahl,
    ratio,
    row_max,
    row_sum,
    sum_k,
    take_rows,
    weigh_k,
    where,
)
from baimo.world.engine.equation import equation
from baimo.world.engine.population import gather
from baimo.world.ensemble import Ensemble
from baimo.world.laws import nested_logit
from baimo.world.models import demand, pricing, serving
from baimo.world.models.quality import appeal, brain, offer, own_data, with_eyes_and_hands
from baimo.world.models.utility import dearness, outside_value, routed, utilities
from baimo.world.technology.research import data_from_use


@dataclass
class StillOffer:
    """A model of each lab whose ability and standing do not change, as equations read it."""

    able: Array
    standing: Array | float = 0.0
    use: Array | None = None
    price: Array | None = None
    quality: Array | None = None
    best: Array | None = None


@equation
def _quality(offer, lab, seg, state, p):
    """Quality, from what the brain can do."""
    return with_eyes_and_hands(offer.able + (1.0 - offer.able) * own_data(offer, lab, seg, p), seg, state, p)


@equation
def _worth(offer, seg, p):
    """beta A - alpha (ln(P + h0) - ln(WTP + h0)) + what stands still: nuisance, and wishes for weights of one's own."""
    return p.model_market.quality_weight * appeal(offer, p) - dearness(offer, seg, p) + offer.standing


@equation
def _of_the_flagship(used, second):
    """Use left to the flagship when the light model has served its share of requests."""
    return used - used * second


class ColumnMarket:
    """Labs, users and apps of some worlds, whose market alone goes on.

    Parameters
    ----------
    worlds : int
        Replicates 0, 1, ... of the baseline.
    months : int
        How long the whole model has run before.
    """

    def __init__(self, worlds: int, months: int):
        self.world = Ensemble(["output.level=market"], range(worlds)).run(months).world
        self.world.streams.step = months
        self.moving = self.world.clock.fraction(demand.reconsidering(self.world))
        self.outside = outside_value(self.world.segments.columns, self.world.parameters)
        self._stand_still()

    def _stand_still(self) -> None:
        """Keep what does not change any more: abilities, standing of labs, what apps add and are paid."""
        world, labs, apps = self.world, self.world.labs, self.world.apps
        serving.serving_costs(world)
        seg = world.segments.columns
        able = [brain(offer(world, each), seg, world.parameters) for each in (labs.served, labs.light)]
        self.models = [StillOffer(each) for each in able]
        for model, now, part in zip(self.models, utilities(world)[:2], self._worth(), strict=True):
            model.standing = now - part
        self.open_nest = labs.openness == ALL_OPEN
        self.added = competition.added_by(world)
        self.wages = competition.wage_bill(world)
        p = world.parameters.app_market
        self.purse = p.purse * where(apps.incumbent, p.incumbent_purse, 1.0)
        self.income = segment_of_apps(world, world.segments.column("arpu")) * p.arpu_scale * apps.customers

    def step(self) -> None:
        """One month."""
        world = self.world
        world.monthly.clear()
        for population in (world.labs, world.apps):
            population.new_step()
        pricing.set_prices(world)
        self.demand()
        choice.choose_bases(world)
        self.compete()
        self.pay()
        self.close()
        world.streams.step += 1

    # ------------------------------------------------------------------ demand

    def _worth(self) -> list[Array]:
        """Utility of flagships and of light models, ``(segments, worlds, labs)`` each; and note their quality."""
        world, labs, p = self.world, self.world.labs, self.world.parameters
        seg, use = world.segments.columns, data_from_use(labs, p.technology)
        for model, price in zip(self.models, (labs.price_flagship, labs.price_light), strict=True):
            model.price, model.use = price, use
            model.quality = _quality(model, labs, seg, world.state, p)
            model.best = row_max(where(labs.released & labs.alive, model.quality, 0.0))
        return [_worth(model, seg, p) for model in self.models]

    def demand(self) -> None:
        """A share of the users of each segment choose anew among the models on sale."""
        world, labs, state = self.world, self.world.labs, self.world.state
        seg, p = world.segments.columns, world.parameters
        value, second = routed(*self._worth(), seg, p)
        sigma = p.model_market.nest_correlation
        share, within, _ = nested_logit.nested_shares(value, self.open_nest, self.outside, sigma)
        choice = demand.Choice(share, past=share, scale=1.0, reconsider=self.moving)
        choice.choosing = self.moving * state.adopters
        labs.users = demand.reconsidered(labs, choice, p)
        state.quality = np.maximum(*[model.quality for model in self.models])
        # Without old tools, whatever could be asked of models is.
        use = demand.Use(value, -np.inf, second, state.quality)
        state.tokens_per_user = demand.tokens_per_user(use, labs, seg, p)
        self._use(second, within)

    def _use(self, second: Array, within: Array) -> None:
        """Tokens follow users; from use come data, shares of sales and of nests."""
        world, labs, state, table = self.world, self.world.labs, self.world.state, self.world.segments
        used = labs.users * state.tokens_per_user
        labs.tokens_light, labs.tokens_flagship = dot_k(used, second), sum_k(_of_the_flagship(used, second))
        state.sales_share = demand.by_region_share(world, weigh_k(1.0 - table.column("free"), used))
        state.nest_share = ratio(dot_k(within, used), sum_k(used))
        fade = np.exp(-world.clock.months / world.parameters.technology.usage_memory)
        labs.usage_data = labs.usage_data * fade + (labs.tokens_light + labs.tokens_flagship) * (1.0 - fade)

    # ------------------------------------------------------------------ apps

    def compete(self) -> None:
        """Users of a segment choose between the bare models and the apps on top of them."""
        world, apps = self.world, self.world.apps
        apps.users, _ = competition.users_won(world, competition.pull_of(world, self.added))
        apps.rework = np.maximum(apps.rework - world.clock.months, 0.0)

    def pay(self) -> None:
        """Apps earn from their users, pay their people and, where they call one, the owner of their base."""
        world, apps, labs = self.world, self.world.apps, self.world.labs
        apps.tokens = where(apps.source == API, apps.users * competition.tokens_each(world), 0.0)
        bill = apps.tokens * world.clock.days * take_rows(labs.price_flagship, apps.base_lab[0]) / 1e6
        income = apps.users * self.income * world.clock.months
        apps.cash = where(apps.alive, apps.cash + income - self.wages - bill, 0.0)
        apps.revenue = income / world.clock.months
        apps.cost = where(apps.alive, self.wages + bill, 0.0) / world.clock.months

    def close(self) -> None:
        """Founders give up what has failed, and others try the same again; the rest are a month older."""
        world, apps = self.world, self.world.apps
        apps.close_down(lifecycle.founders_resolve(world))
        gone = apps.alive & (apps.exit_reason != ALIVE)
        self.deaths = row_sum(gone.astype(float))
        apps.age = apps.age + world.clock.months * apps.alive
        apps.peak_users = np.maximum(apps.peak_users, apps.users)
        successors = apps.where(gone)
        successors.cash = gather(self.purse, successors.worlds, successors.rows)
        successors.age = successors.peak_users = successors.rework = successors.users = 0.0
        successors.base_lab = successors.base_id = MISSING
        successors.exit_reason = ALIVE

    # ------------------------------------------------------------------ what is compared

    def seen(self) -> dict[str, Array]:
        """Statistics of the month in each world, ``(worlds,)`` each."""
        labs, apps = self.world.labs, self.world.apps
        sold = labs.tokens_flagship + labs.tokens_light
        found = {
            "price": ratio(row_sum(labs.tokens_flagship * labs.price_flagship), row_sum(labs.tokens_flagship)),
            "hhi": herfindahl(sold),
            "users": row_sum(sum_k(labs.users)),
            "deaths": self.deaths,
            "app_users": row_sum(apps.users),
            "cash": row_sum(where(apps.alive, apps.cash, 0.0)),
        }
        return {name: value[:, 0] for name, value in found.items()}
