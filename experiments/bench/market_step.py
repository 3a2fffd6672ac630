"""The market step on the columns: what ``plain_mesa`` is compared with.

Pricing, demand by segment, choice of base and exit of the model, by its own functions, in a block of
worlds taken from the baseline after two years. The rest of the model stands still: capabilities and what users
expect of them, awareness of labs, costs and their trend, margins and growth as labs see them, the number of users,
who may be used where, and what apps add. Labs look at last month's choices and post once a month.

Left out of pricing are subscriptions, and left out of demand those who hang on a hub, memory of past shares, what the
old tools still do, and where a model runs; left out of the apps' market is the filing of apps. Hosts of open weights,
thinking longer, replies to new prices and limits of capacity are switched off from the start. Whoever closes has a
successor with the same idea and a purse of its own, so that the market stays as large as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from baimo.agents.enums import ALIVE, API, MISSING
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
    where,
)
from baimo.world.engine.equation import equation
from baimo.world.engine.population import gather
from baimo.world.ensemble import Ensemble
from baimo.world.models import demand, pricing
from baimo.world.models.quality import appeal, brain, merit, offer, own_data, reach, with_eyes_and_hands
from baimo.world.models.utility import choices, valued, weigh_models
from baimo.world.technology.research import data_from_use

#: Changes to the baseline: what is switched off, and a narrow band, so that prices move while costs stand still.
CHANGES = (
    "output.level=market",
    "mechanisms.hosts=false",
    "mechanisms.thinking=false",
    "pricing.reply=0",
    "pricing.capacity=0",
    "pricing.band=0.05",
    "app_market.listing=0",
)


@dataclass
class StillOffer:
    """A model of each lab whose ability and standing do not change, as equations read it."""

    able: Array | float
    reach: Array | float = 0.0
    standing: Array | float = 0.0
    use: Array | float | None = None
    quality: Array | None = None
    merit: Array | None = None
    best: Array | None = None


@equation
def _quality(offer, lab, seg, state, p):
    """Quality, from what the brain can do."""
    return with_eyes_and_hands(offer.able + (1.0 - offer.able) * own_data(offer, lab, seg, p), seg, state, p)


@equation
def _worth(offer, p):
    """beta A + what stands still: nuisance, wishes for weights of one's own, and what the lab's models share."""
    return p.model_market.quality_weight * appeal(offer, p) + offer.standing


@equation
def _of_the_flagship(used, second):
    """Use left to the flagship when the light model has served its share of requests."""
    return used - used * second


class ColumnMarket:
    """Labs, users and apps of some worlds, whose market alone goes on.

    Parameters
    ----------
    worlds : int
        Replicates 0, 1, ... of the baseline, but for ``CHANGES``.
    months : int
        How long the whole model has run before.

    Attributes
    ----------
    signals : PriceSignals
        What labs last saw of their market in the whole model; costs and purses stand as they were.
    customers : dict
        How the customers of each lab answer to its price, by what they chose last.
    """

    def __init__(self, worlds: int, months: int):
        self.world = Ensemble(list(CHANGES), range(worlds)).run(months).world
        self._new_month(months)
        self._price_once_more()
        self._stand_still()
        self._new_month(months + 1)

    def _new_month(self, step: int) -> None:
        world = self.world
        world.streams.step = step
        world.monthly.clear()
        for population in (world.labs, world.apps):
            population.new_step()

    def _price_once_more(self) -> None:
        """Weigh models and post prices as the whole model does, and keep what labs see of their market."""
        world = self.world
        weigh_models(world)
        pricing.set_prices(world)
        (self.signals,) = world.observed[world.labs.agent_class.__name__, "set_price"]
        self.customers = pricing.customers_of(world)

    def _stand_still(self) -> None:
        """Keep what does not change any more: abilities, standing of labs, what apps add and are paid."""
        world, labs, apps, state = self.world, self.world.labs, self.world.apps, self.world.state
        seg, p = world.segments.columns, world.parameters
        self.leaving = demand.reconsidering(world)
        offers = [offer(world, each) for each in (labs.served, labs.light)]
        self.models = [StillOffer(brain(each, seg, p), reach(each, seg)) for each in offers]
        now = state.worth_flagship, state.worth_light
        for model, whole, part in zip(self.models, now, self._worth(), strict=True):
            model.standing = whole - part
        self.added = competition.added_by(world)
        self.wages = competition.wage_bill(world)
        self.purse = p.app_market.purse * where(apps.incumbent, p.app_market.incumbent_purse, 1.0)
        paid = segment_of_apps(world, world.segments.column("arpu"))
        self.income = paid * p.app_market.arpu_scale * apps.customers

    def step(self) -> None:
        """One month."""
        self.price()
        self.demand()
        choice.choose_bases(self.world)
        self.compete()
        self.pay()
        self.close()
        self._new_month(self.world.streams.step + 1)

    # ------------------------------------------------------------------ prices and demand

    def price(self) -> None:
        """Labs that look at their price list post what is far from the best reply to last month's choices."""
        world, labs = self.world, self.world.labs
        looks = labs.draws("repost") < world.clock.fraction(world.parameters.pricing.repost)
        answers = dict(self.customers)
        worth = pricing.sale_worth(world, answers.pop("retention"))
        labs.set_price(replace(self.signals, considers=looks, sale_worth=worth, **answers))

    def demand(self) -> None:
        """A share of the users of each segment choose anew among the models on sale."""
        world, labs, state = self.world, self.world.labs, self.world.state
        seg, p = world.segments.columns, world.parameters
        state.worth_flagship, state.worth_light = self._worth()
        value, second, longer = valued(world)
        share, within, _ = choices(world, value)
        self.customers |= self._answers(share, within)
        chosen = demand.Choice(share, past=share, scale=1.0, reconsider=world.clock.fraction(self.leaving))
        chosen.choosing = chosen.reconsider * state.adopters
        labs.users = demand.reconsidered(labs, chosen, p)
        # Without old tools, whatever could be asked of models is.
        use = demand.Use(value, -np.inf, second, state.quality, self.models[0].reach, longer)
        state.tokens_per_user = demand.tokens_per_user(use, state, seg, p)
        self._use(second)

    def _worth(self) -> list[Array]:
        """Utility of flagships and of light models but for their price; and note their quality."""
        world, labs, p = self.world, self.world.labs, self.world.parameters
        seg, use, on_sale = world.segments.columns, data_from_use(labs, p.technology), labs.released & labs.alive
        for model in self.models:
            model.use = use
            model.quality = _quality(model, labs, seg, world.state, p)
            model.merit = merit(model, seg, world.state, p)
            model.best = row_max(where(on_sale, model.merit, -1.0))
        world.state.quality = np.maximum(*[model.quality for model in self.models])
        return [_worth(model, p) for model in self.models]

    def _answers(self, share: Array, within: Array) -> dict[str, Array]:
        """How the customers of each lab answer to its price, from the choice that was made."""
        world = self.world
        weighed = pricing.weighed(share, within, self.leaving, world.state, world.segments.columns)
        bought, *sums = [sum_k(each) for each in weighed]
        share, within, use, leave = (ratio(each, bought) for each in sums)
        return {"share": share, "nest_share": within, "use_elasticity": use, "retention": 1.0 - leave}

    def _use(self, second: Array) -> None:
        """Tokens follow users; from use come data."""
        world, labs = self.world, self.world.labs
        used = labs.users * world.state.tokens_per_user
        labs.tokens_light, labs.tokens_flagship = dot_k(used, second), sum_k(_of_the_flagship(used, second))
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
