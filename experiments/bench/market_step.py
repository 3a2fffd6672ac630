"""The market step on the columns: what ``plain_mesa`` is compared with.

Pricing, demand by segment, choice of base and exit of the model, by its own functions, in a block of
worlds taken from the baseline after two years. The rest of the model stands still: capabilities, costs,
the number of users, who may be used where, and what apps add. Whoever closes has a successor with the same
idea and a purse of its own, so that the market stays as large as it is.
"""

from __future__ import annotations

import numpy as np

from agents.app import API
from agents.lab import ALL_OPEN, CN, NOBODY
from world import app_labour, app_market, model_market
from world.app_segments import CN_SEGMENTS, segment_of_apps
from world.arrays import Array, herfindahl, logistic, ratio, row_sum, shares, sum_by_group, sum_k, take_rows
from world.ecosystem import points_at
from world.ensemble import Ensemble
from world.population import Observables
from world.quality import appeal, brain, own_data, with_eyes_and_hands

#: Months of the baseline before the market goes on alone.
MONTHS = 24


class ColumnMarket:
    """Labs, users and apps of some worlds, whose market alone goes on.

    Parameters
    ----------
    worlds : int
        Replicates 0, 1, ... of the baseline.
    months : int
        How long the whole model has run before.
    """

    def __init__(self, worlds: int, months: int = MONTHS):
        self.world = Ensemble(["output.level=market"], range(worlds)).run(months).world
        self.world.streams.step = months
        p, table = self.world.parameters.model_market, self.world.segments
        self.willing = np.log(table.column("price") + p.hassle_cost)
        self.sensitive = p.price_sensitivity * (1.0 - p.free_insensitive * table.column("free"))
        self.moving = np.minimum(p.follow * self.world.clock.fraction(model_market.reconsidering(self.world)), 1.0)
        self.outside = table.column("old_tools") + p.old_tools_weight + np.log(p.old_tools_strength)
        self._stand_still()

    def _stand_still(self) -> None:
        """What nobody changes any more: abilities, standing of labs, what apps add and are paid."""
        world, labs, apps = self.world, self.world.labs, self.world.apps
        model_market.serving_speed(world)
        self.able = [brain(world, labs.served), brain(world, labs.light)]
        self.standing = [0.0, 0.0]
        worth = self._worth()[0]
        self.standing = [now - part for now, part in zip(model_market.utilities(world)[:2], worth, strict=True)]
        self.open_nest = labs.openness == ALL_OPEN
        self.added = apps.brain * (1.0 - apps.absorbed) + (apps.eye + apps.hand) * (1.0 - apps.body_lost)
        self.added = self.added + app_labour.tuned_quality(world)
        p = world.parameters.app_market
        wage = world.state.wages[CN][3] * world.clock.years * (1.0 + p.overhead)
        self.wages = (apps.engineers + apps.tuners) * wage
        self.purse = p.purse * np.where(apps.incumbent, p.incumbent_purse, 1.0)
        self.income = segment_of_apps(world, world.segments.column("arpu")) * p.arpu_scale * apps.customers

    def step(self) -> None:
        """One month."""
        world = self.world
        world.monthly = {}
        for population in (world.labs, world.apps):
            population.new_step()
        model_market.set_prices(world)
        self.demand()
        app_market.choose_bases(world)
        self.compete()
        self.pay()
        self.close()
        world.streams.step += 1

    # ------------------------------------------------------------------ demand

    def _worth(self) -> tuple[list[Array], list[Array]]:
        """Utility and quality of flagships and of light models, ``(segments, worlds, labs)`` each."""
        world, labs, p = self.world, self.world.labs, self.world.parameters.model_market
        data = own_data(world)
        values, qualities = [], []
        for able, standing, price in zip(
            self.able, self.standing, (labs.price_flagship, labs.price_light), strict=True
        ):
            quality = with_eyes_and_hands(world, able + (1.0 - able) * data)
            cost = self.sensitive * (np.log(price + p.hassle_cost) - self.willing)
            values.append(p.quality_weight * appeal(world, quality) + standing - cost)
            qualities.append(quality)
        return values, qualities

    def demand(self) -> None:
        """A share of the users of each segment choose anew among the models on sale."""
        world, labs, p, table = self.world, self.world.labs, self.world.parameters.model_market, self.world.segments
        (flagship, light), qualities = self._worth()
        value = flagship + p.routing * np.maximum(light - flagship, 0.0)
        second = p.routing * np.maximum(
            logistic((light - flagship) / p.router_width), p.free_light * table.column("free")
        )
        share, within, _ = model_market.nested_shares(value, self.open_nest, self.outside, p.nest_correlation)
        labs.users = labs.users * (1.0 - self.moving) + self.moving * world.state.adopters * share
        world.state.quality = np.maximum(*qualities)
        self._use(second, within)

    def _use(self, second: Array, within: Array) -> None:
        """Tokens follow users, prices and quality; from use come data, shares of sales and of nests."""
        world, labs, state, table = self.world, self.world.labs, self.world.state, self.world.segments
        p = world.parameters.model_market
        log_flagship, log_light = np.log(labs.price_flagship + p.use_offset), np.log(labs.price_light + p.use_offset)
        price = log_flagship + second * (log_light - log_flagship)
        cheap = table.column("elasticity") * (np.log(table.column("price") + p.use_offset) - price)
        cheap = np.minimum(cheap, np.log(p.most_use)) * (1.0 - p.free_insensitive * table.column("free"))
        each = table.column("tokens") * 1000.0 * p.use_scale * np.exp(cheap)
        state.tokens_per_user = each * (1.0 + table.column("lift") * state.quality)
        used = labs.users * state.tokens_per_user
        light = used * second
        labs.tokens_light, labs.tokens_flagship = sum_k(light), sum_k(used - light)
        paid, here = sum_k((1.0 - table.column("free")) * used), labs.region == CN
        state.sales_share = np.where(here, shares(np.where(here, paid, 0.0)), shares(np.where(here, 0.0, paid)))
        state.nest_share = ratio(sum_k(within * used), sum_k(used))
        fade = np.exp(-world.clock.months / world.parameters.technology.usage_memory)
        labs.usage_data = labs.usage_data * fade + (labs.tokens_light + labs.tokens_flagship) * (1.0 - fade)

    # ------------------------------------------------------------------ apps

    def compete(self) -> None:
        """Users of a segment choose between the bare models and the apps on top of them."""
        world, apps, state, p = self.world, self.world.apps, self.world.state, self.world.parameters.app_market
        months = world.clock.months
        native = segment_of_apps(world, model_market.best_native(world))
        valid = points_at(apps.base_lab[0], apps.base_id[0], world.labs)
        place = apps.segment * world.labs.capacity + np.maximum(apps.base_lab[0], 0)
        base = np.where(valid, take_rows(state.quality_by_app_segment, place), 0.0)
        rework = np.minimum(apps.rework / p.rework_scale, p.rework_most)
        advantage = p.advantage * (base - native + self.added) - p.rework_penalty * rework
        ramp = 1.0 - np.exp(-np.maximum(apps.age + months + apps.head_start, 0.0) / p.ramp_months)
        pull = np.where(apps.alive & valid, np.exp(np.clip(advantage, -20.0, 8.0)) * ramp, 0.0)
        total = sum_by_group(pull, apps.segment, CN_SEGMENTS)
        potential = (state.adopters * world.segments.column("addressable"))[:CN_SEGMENTS, :, 0].T
        apps.users = take_rows(potential / (p.bare_weight + total), apps.segment) * pull
        apps.rework = np.maximum(apps.rework - months, 0.0)

    def pay(self) -> None:
        """Apps earn from their users, pay their people and, where they call one, the owner of their base."""
        world, apps, labs = self.world, self.world.apps, self.world.labs
        users = np.maximum(row_sum(labs.users), 1e-12)
        each = segment_of_apps(world, row_sum(world.state.tokens_per_user * labs.users) / users)
        apps.tokens = np.where(apps.source == API, apps.users * each, 0.0)
        bill = apps.tokens * world.clock.days * take_rows(labs.price_flagship, apps.base_lab[0]) / 1e6
        income = apps.users * self.income * world.clock.months
        apps.cash = np.where(apps.alive, apps.cash + income - self.wages - bill, 0.0)
        apps.revenue = income / world.clock.months
        apps.cost = np.where(apps.alive, self.wages + bill, 0.0) / world.clock.months

    def close(self) -> None:
        """Founders give up what has failed, and others try the same again; the rest are a month older."""
        world, apps = self.world, self.world.apps
        p = world.parameters.app_market
        resolve = world.clock.chance(12.0 * p.resolve)
        apps.close_down(Observables(resolve=resolve, resolve_outdated=world.clock.chance(12.0 * p.rework_resolve)))
        gone = apps.alive & (apps.exit_reason != 0)
        self.deaths = row_sum(gone.astype(float))
        apps.age = np.where(gone, 0.0, apps.age + world.clock.months * apps.alive)
        apps.peak_users = np.where(gone, 0.0, np.maximum(apps.peak_users, apps.users))
        apps.cash = np.where(gone, self.purse, apps.cash)
        apps.rework = np.where(gone, 0.0, apps.rework)
        apps.users = np.where(gone, 0.0, apps.users)
        apps.base_lab, apps.base_id = np.where(gone, NOBODY, apps.base_lab), np.where(gone, NOBODY, apps.base_id)
        apps.exit_reason = np.where(gone, 0, apps.exit_reason)

    # ------------------------------------------------------------------ what is compared

    def seen(self) -> dict[str, Array]:
        """What the month was like in each world, ``(worlds,)`` each."""
        labs, apps = self.world.labs, self.world.apps
        sold = labs.tokens_flagship + labs.tokens_light
        found = {
            "price": ratio(row_sum(labs.tokens_flagship * labs.price_flagship), row_sum(labs.tokens_flagship)),
            "hhi": herfindahl(sold),
            "users": row_sum(sum_k(labs.users)),
            "deaths": self.deaths,
            "app_users": row_sum(apps.users),
            "cash": row_sum(np.where(apps.alive, apps.cash, 0.0)),
        }
        return {name: value[:, 0] for name, value in found.items()}
