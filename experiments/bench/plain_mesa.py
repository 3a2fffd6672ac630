"""The market step as one writes it in Mesa: an agent for each lab, app and segment, plain floats.

What ``market_step`` does on columns, for one world: labs look at their price lists and post new prices, users of each
segment choose among the models on sale, apps choose a base, win users, pay their way and close. Written to be fast as
far as one agent at a time can be: only who looks at its price list works out what it would ask, what a lab has in
common for all segments is worked out once a month, nothing is looked up that can be kept, and agents draw from the
model's generator (or are handed their numbers, so that both ways can be compared digit by digit).
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, sqrt
from typing import Any

import mesa

#: Gives a uniform number: of which stream, for whom (id), with whom (id).
Numbers = Callable[[str, int, int], float]


class Lab(mesa.Agent):
    """A lab that sells a flagship and a light model."""

    def __init__(self, model: Market, facts: dict[str, Any]):
        super().__init__(model)
        self.__dict__.update(facts)

    def set_price(self) -> None:
        """Now and then look at the price list, and post what is far from the best reply to the rivals' prices."""
        model = self.model
        if not self.on_sale or model.random_number("repost", self.id, 0) >= model.repost:
            return
        worth = self._sale_worth()
        self.price_flagship = self._posted(self.price_flagship, self.cost_flagship, self.sold_flagship, worth)
        self.price_light = self._posted(self.price_light, self.cost_light, self.sold_light, worth)

    def _sale_worth(self) -> float:
        """What a sale is worth beyond its price: the customer kept, the own cloud, and data."""
        rules = self.model.rules.pricing
        u = min(self.patience * self.retention, 0.98)
        kept = (u - u ** (rules.customer_months + 1.0)) / (1.0 - u)
        data = rules.data_value / (1.0 + self.usage_data / self.model.rules.model_market.data_scale)
        return rules.customer_weight * self.margin * kept + rules.cloud_value * self.cloud + data

    def _posted(self, price: float, cost: float, sold: float, worth: float) -> float:
        """The price that is posted: the present one, unless the wanted one is too far from it."""
        model = self.model
        p, h = model.rules.model_market, model.rules.model_market.hassle_cost
        best = self._best_price(price, cost * self.cost_trend, worth)
        grown = sold * ((price + h) / (best + h)) ** self._elasticity(self.share, self.nest_share)
        wanted = max(best, cost - self.loss_most / max(grown, 1e-9))
        wanted = min(max(wanted, p.least_price), p.most_price)
        return wanted if abs(log(wanted / price)) > model.rules.pricing.band else price

    def _best_price(self, price: float, cost: float, worth: float) -> float:
        """Best reply to the rivals' prices, by halving a range of logs: too cheap below it, too dear above."""
        model, p = self.model, self.model.rules.model_market
        h, one = p.hassle_cost, 1.0 - p.nest_correlation
        rate, now = p.price_sensitivity / one, log(price + h)
        nest, rest = self.nest_share, 1.0 - self.nest_share
        was = self.share / nest if nest > 0.0 else 0.0
        gain, owed = 1.0 + worth, cost + (1.0 + worth) * h
        low, high = model.least_log, model.most_log
        for _ in range(model.halvings):
            middle = 0.5 * (low + high)
            moved = nest * exp(min(rate * (now - middle), 600.0))
            total = max(rest + moved, 1e-300)
            size, within = was * total**one, moved / total
            elastic = self._elasticity(within * size / (1.0 - was + size), within)
            if gain - owed * exp(-middle) < 1.0 / elastic:
                low = middle
            else:
                high = middle
        return exp(0.5 * (low + high)) - h

    def _elasticity(self, share: float, within: float) -> float:
        """Elasticity of its sales to its price, at some share of the market and of its nest."""
        p = self.model.rules.model_market
        sigma = p.nest_correlation
        factor = (1.0 - sigma * within) / (1.0 - sigma) - share
        return max(p.price_sensitivity * max(factor, 0.0) * (1.0 - self.captive) + self.use_elasticity, 0.1)

    def prepare(self) -> None:
        """Compute what users of all segments share, and empty the tills."""
        p = self.model.rules.model_market
        self.log_flagship = log(self.price_flagship + p.hassle_cost)
        self.log_light = log(self.price_light + p.hassle_cost)
        self.use_flagship = log(self.price_flagship + p.use_offset)
        self.use_light = log(self.price_light + p.use_offset)
        self.learned = self.model.data_worth * self.usage_data / (self.usage_data + self.model.data_half)
        self.sold_flagship = self.sold_light = 0.0

    def settle(self) -> None:
        """Data from use, and how customers answer to prices, from what those who pay have chosen."""
        place = self.place
        bought = shares = withins = elastic = lost = 0.0
        for segment in self.model.segments:
            share = segment.shares[place]
            weight = segment.paying * share
            bought += weight
            shares += weight * share
            withins += weight * segment.withins[place]
            elastic += weight * segment.elasticity
            lost += weight * segment.moving * (1.0 - share)
        bought = bought or 1.0  # who sells nothing has no customers who could answer
        self.share, self.nest_share, self.use_elasticity = shares / bought, withins / bought, elastic / bought
        self.retention = 1.0 - lost / bought
        fade = self.model.fade
        self.usage_data = self.usage_data * fade + (self.sold_flagship + self.sold_light) * (1.0 - fade)


class Segment(mesa.Agent):
    """Users with the same work to do; lists are by ``Lab.place``."""

    def __init__(self, model: Market, facts: dict[str, Any]):
        super().__init__(model)
        self.__dict__.update(facts)
        self.pull = 0.0

    def choose(self) -> None:
        """A share of the users choose anew; all use what they have, the more the cheaper and better it is."""
        flagship, light = (self._worth(which) for which in (0, 1))
        p = self.model.rules.model_market
        values, seconds = [], []
        least = p.free_light * self.free
        for one, other in zip(flagship, light, strict=True):
            ahead = other - one
            values.append(one + p.routing * ahead if ahead > 0.0 else one)
            second = 1.0 / (1.0 + exp(min(max(-ahead / p.router_width, -60.0), 60.0)))
            seconds.append(p.routing * (second if second > least else least))
        self.shares, self.withins = self._shares(values)
        self._use(seconds)

    def _worth(self, which: int) -> list[float]:
        """Utility of each lab's flagship (0) or light model (1), and what it can do."""
        model, p = self.model, self.model.rules.model_market
        weight, limits = self.brain_weight, self.limits
        quality = []
        for able, own, lab in zip(self.able[which], self.own_data, model.labs, strict=True):
            data = own + lab.learned
            brain = able + (1.0 - able) * data if data < 1.0 else 1.0
            quality.append(1.0 / sqrt(weight / (brain if brain > 1e-3 else 1e-3) ** 2 + limits))
        if which == 0:
            self.quality = quality
        else:
            self.quality = [a if a > b else b for a, b in zip(self.quality, quality, strict=True)]
        merits = [q + beyond for q, beyond in zip(quality, self.beyond[which], strict=True)]
        best = max((merit for merit, lab in zip(merits, model.labs, strict=True) if lab.on_sale), default=-1.0)
        moat, close, scale = model.rules.moat.performance, p.close_enough, p.quality_weight
        sensitive, willing = self.sensitive, self.willing
        found = []
        for merit, standing, lab in zip(merits, self.standing[which], model.labs, strict=True):
            short = best - merit if merit < best else 0.0
            price = lab.log_light if which else lab.log_flagship
            appeal = best - moat * short * short / (short + close)
            found.append(scale * appeal + standing - sensitive * (price - willing))
        return found

    def _shares(self, values: list[float]) -> tuple[list[float], list[float]]:
        """Nested logit over closed models, open weights and the old tools; nobody sells to more than consider it."""
        labs, scale = self.model.labs, 1.0 - self.model.rules.model_market.nest_correlation
        top = max(-60.0, *values)
        old_tools = min(max(self.outside - top, -300.0), 300.0)
        liked = [exp(max((v - top) / scale, -700.0)) if v > -100.0 else 0.0 for v in values]
        known = [aware * w for aware, w in zip(self.aware, liked, strict=True)]
        everybody = sum(known) + exp(min(old_tools / scale, 700.0))
        weights, sums = [], [0.0, 0.0]
        for w, considered, aware, lab in zip(liked, known, self.aware, labs, strict=True):
            others = max(everybody - considered, 1e-300)
            weights.append(considered * others / (others + (1.0 - aware) * w))
            sums[lab.open_flagship] += weights[-1]
        nests = [each**scale for each in sums]
        total = nests[0] + nests[1] + exp(old_tools)
        part = [nest / total for nest in nests]
        shares, held = [], [0.0, 0.0]
        for w, aware, lab in zip(weights, self.aware, labs, strict=True):
            share = w / sums[lab.open_flagship] * part[lab.open_flagship] if w > 0.0 else 0.0
            shares.append(min(share, aware))
            held[lab.open_flagship] += shares[-1]
        return shares, [s / held[lab.open_flagship] if s > 0.0 else 0.0 for s, lab in zip(shares, labs, strict=True)]

    def _use(self, seconds: list[float]) -> None:
        most = log(self.model.rules.model_market.most_use)
        stay, come = 1.0 - self.moving, self.moving * self.adopters
        elasticity, willing, answers, lift = self.elasticity, self.use_willing, self.answers_price, self.lift
        total = known = asked = 0.0
        users, shares, tokens = self.users, self.shares, self.tokens
        for k, lab in enumerate(self.model.labs):
            if not lab.on_sale:
                continue
            here = users[k] = users[k] * stay + come * shares[k]
            second, quality = seconds[k], self.quality[k]
            cheap = elasticity * (willing - lab.use_flagship - second * (lab.use_light - lab.use_flagship))
            each = tokens[k] * exp((cheap if cheap < most else most) * answers) * (1.0 + lift * quality)
            used = here * each
            lab.sold_light += used * second
            lab.sold_flagship += used - used * second
            total += here
            known += here * quality
            asked += used
        self.native = known / max(total, 1e-12)
        self.tokens_each = asked / max(total, 1e-12)
        self.pull = 0.0


class App(mesa.Agent):
    """A product on top of a lab's model."""

    def __init__(self, model: Market, facts: dict[str, Any]):
        super().__init__(model)
        self.__dict__.update(facts)
        self.idea = facts
        self.tastes: dict[Lab, float] = {}

    def choose_base(self) -> None:
        """Take the best of the models it knows, less what leaving the present one costs."""
        model, rules = self.model, self.model.rules.app_market
        base = self.base
        if base is not None and model.random_number("switch", self.id, 0) >= model.reconsider:
            return
        ranked = sorted(((self.worth(lab), lab.id, lab) for lab in self.known if lab is not base), reverse=True)
        if not ranked:
            return
        top, _, best = ranked[0]
        if base is not None:
            if top <= self.worth(base) + rules.switching_cost * model.tied * self.coupling:
                return
            if self.age > 0.5:
                self.rework += rules.switch_months * self.coupling
        second = ranked[1] if len(ranked) > 1 else None
        self.second = second[2] if second and second[0] > top - rules.multihome_margin else None
        self.base = best

    def worth(self, lab: Lab) -> float:
        """Quality, price, fit, the owner, and lasting taste."""
        rules = self.model.rules.app_market
        if lab not in self.tastes:
            self.tastes[lab] = -log(-log(self.model.random_number("base taste", self.id, lab.id)))
        worth = rules.base_quality * self.segment.quality[lab.place] - rules.base_price * lab.log_flagship
        if self.tunes:
            worth += rules.open_fit * lab.opened + rules.hub_hold * lab.hub
        return worth - rules.rival_owner * lab.product_share + rules.taste * self.tastes[lab]

    def attract(self) -> None:
        """Stand out by what it adds and by a better base than users have."""
        if self.base is None:
            self.pull = 0.0
            return
        rules, segment = self.model.rules.app_market, self.segment
        rework = min(self.rework / rules.rework_scale, rules.rework_most)
        better = segment.quality[self.base.place] - segment.native + self.added
        advantage = min(max(rules.advantage * better - rules.rework_penalty * rework, -20.0), 8.0)
        known = max(self.age + self.model.months + self.head_start, 0.0)
        self.pull = exp(advantage) * (1.0 - exp(-known / rules.ramp_months))
        segment.pull += self.pull

    def live(self) -> None:
        """Win users, pay people and the owner of the base; close when it has failed."""
        model, segment = self.model, self.segment
        months = model.months
        self.users = segment.potential / (model.rules.app_market.bare_weight + segment.pull) * self.pull
        self.rework = max(self.rework - months, 0.0)
        bill = 0.0
        if self.calls and self.base is not None:
            bill = self.users * segment.tokens_each * model.days * self.base.price_flagship / 1e6
        income = self.users * self.income * months
        self.cash += income - self.wages - bill
        self.revenue, self.cost = income / months, (self.wages + bill) / months
        if self.fails():
            self.close()
            return
        self.age += months
        self.peak_users = max(self.peak_users, self.users)

    def close(self) -> None:
        """Leave the market; another founder tries the same."""
        self.model.deaths += 1
        self.remove()
        new = {"base": None, "age": 0.0, "rework": 0.0, "users": 0.0, "peak_users": 0.0, "cash": self.purse}
        App(self.model, self.idea | new)

    def fails(self) -> bool:
        """Whether the money is gone, or the model or rivals have taken the place of what earns no profit."""
        if self.cash < 0.0:
            return True
        model, rules = self.model, self.model.rules.app_market
        loses, fading = self.revenue < self.cost, self.users < rules.fading_share * self.peak_users
        if self.taken and loses and model.random_number("close", self.id, 0) < model.resolve:
            return True
        behind = self.rework > rules.rework_limit and fading and loses
        return behind and model.random_number("adapt", self.id, 0) < model.resolve_outdated


class Market(mesa.Model):
    """One world.

    Parameters
    ----------
    rules : baimo.conf.schema.Config
        The parameters of the model.
    constants : dict
        Shares and paces of a month, and what is fixed for all labs.
    labs, segments, apps : list of dict
        Attributes of the agents; apps name their segment, base and known labs by number.
    random_number : callable, optional
        Where agents get their random numbers; default the model's own generator.
    """

    def __init__(
        self,
        rules: Any,
        constants: dict[str, float],
        labs: list[dict],
        segments: list[dict],
        apps: list[dict],
        random_number: Numbers | None = None,
        rng: int = 1,
    ):
        super().__init__(rng=rng)
        self.rules = rules
        self.__dict__.update(constants)
        self.random_number = random_number or (lambda stream, who, whom: self.random.random())
        self.labs = [Lab(self, facts) for facts in labs]
        self.segments = [Segment(self, facts) for facts in segments]
        for facts in apps:
            named = {"segment": self.segments[facts["segment"]]}
            named["base"] = None if facts["base"] is None else self.labs[facts["base"]]
            named["known"] = [self.labs[place] for place in facts["known"]]
            App(self, facts | named)
        self.deaths = 0

    def step(self) -> None:
        """One month."""
        labs, segments = self.agents_by_type[Lab], self.agents_by_type[Segment]
        technology = self.rules.technology
        labs.do("set_price")
        total = sum(lab.usage_data for lab in self.labs)
        self.data_half = technology.usage_half + technology.usage_crowd * total
        self.data_worth = self.rules.moat.data * self.rules.model_market.usage_fit
        labs.do("prepare")
        segments.do("choose")
        labs.do("settle")
        self.deaths = 0
        apps = self.agents_by_type[App]
        apps.do("choose_base")
        apps.do("attract")
        apps.do("live")
