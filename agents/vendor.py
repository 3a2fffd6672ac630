"""Infrastructure vendors: chipmakers, clouds, public compute centres, the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from baimo.agents.base import MarketAgent, decision
from baimo.agents.enums import BUILDERS, CENTRE, CHIPMAKER, CLOUD, MISSING, REGIONS, VENDOR_KINDS
from baimo.conf.declare import column
from baimo.world.engine.arrays import PerAgent, PerClass, PerWorld, argmax_k, clip, max_k, pick_k, sum_k, where
from baimo.world.engine.population import Observables

if TYPE_CHECKING:
    from baimo.conf.schema import Config


class ListPriceSignals(Observables):
    """Signals of a chipmaker when it sets list prices; backlogs are its own."""

    years: float  # length of the step


class ChipSignals(Observables):
    """Signals of a buyer of chips; the last class is the grey channel."""

    class_value: PerClass  # H100 of speed for a CNY million
    class_price: PerClass  # CNY million a chip
    class_rush: PerClass  # times the usual purchase, before a ban that is announced
    years: float  # length of the step
    months: float  # length of the step


class VendorChipSignals(ChipSignals):
    """Further signals of a vendor when it orders chips."""

    rent_ratio: PerAgent  # rent at home over the reference
    elapsed: float  # years since the start
    public: PerAgent  # CNY million a year of public money
    quota: PerAgent  # share of purchases that must be domestic
    domestic: PerClass  # whether a class is domestic


class OfferSignals(Observables):
    """Signals of a vendor when it offers compute."""

    maturity: PerClass  # share of the speed that software lets a class reach
    platform: PerWorld  # share: strength of the common software platform


class BuilderSignals(Observables):
    """Signals of a vendor that may build the common software platform."""

    returns: PerAgent  # CNY million a year that members would pay for a full platform of this builder
    skill: PerAgent  # licence times product skill: how full the platform gets with unlimited money
    resources: PerAgent  # CNY million a year that its owners can spend
    public: PerAgent  # CNY million a year of public money


class InfraVendor(MarketAgent):
    """A firm or public body that makes, rents or pools compute."""

    streams = ("quota",)
    capacity_key: ClassVar[str] = "max_vendors"

    kind = column(dtype=int, labels=VENDOR_KINDS)
    region = column(dtype=int, labels=REGIONS)
    builder = column(dtype=int, labels=BUILDERS)
    cash = column("CNY million", clears=True)
    revenue = column("CNY million a month, last step", clears=True)
    cost = column("CNY million a month, last step", clears=True)
    earned = column("CNY million, this step so far", clears=True)
    spent = column("CNY million, this step so far", clears=True)
    fleet = column("chips", inner="chips", clears=True)
    incoming = column("chips", inner="chips", clears=True)
    order_class = column(dtype=int, default=MISSING, clears=True)
    order_units = column("chips", clears=True)
    price_factor = column("share of the list price at launch", default=1.0)
    chip_budget = column("CNY million a year", clears=True)
    backlog = column("orders over supply", default=1.0)
    offered_share = column("share of the fleet offered", default=1.0)
    utilisation = column("share", default=0.5)
    platform_budget = column("CNY million a year")
    platform_built = column("share of a full platform")

    @decision
    def set_list_price(vendors, market: ListPriceSignals, p: Config) -> None:
        """Adjust list prices to scarcity, and write old generations down as hardware ages (M23)."""
        chip_market = p.chip_market
        scarcity = chip_market.list_price_scarcity * clip(np.log(np.maximum(vendors.backlog, 1e-6)), -1.0, 1.0)
        drift = market.years * (scarcity - chip_market.list_price_decline)
        factor = clip(vendors.price_factor * np.exp(drift), chip_market.list_price_least, chip_market.list_price_most)
        makes = vendors.kind == CHIPMAKER
        vendors.price_factor = where(makes, factor, vendors.price_factor)

    @decision
    def order_chips(vendors, market: VendorChipSignals, p: Config) -> None:
        """Order chips: clouds buy what pays back in rent; public centres buy what is legal, whatever it earns.

        Under a quota a share of the purchases is domestic.
        """
        chip_market = p.chip_market
        # The last class is the grey channel: public centres keep to the law.
        grey = vendors.xp.arange(len(market.class_value)).reshape(-1, 1, 1) == len(market.class_value) - 1
        value = where(grey & (vendors.kind == CENTRE), 0.0, market.class_value)
        home = where(market.domestic, value, 0.0)
        bound = (vendors.draws("quota") < market.quota) & (max_k(home) > 0.0)
        value = where(bound, home, value)
        best = argmax_k(value)
        worth = pick_k(value, best)
        price = pick_k(market.class_price, best)
        rush = pick_k(market.class_rush, best)
        rent_factor = clip(market.rent_ratio, 0.0, chip_market.rent_appetite)
        appetite = where(vendors.kind == CLOUD, rent_factor, 1.0)
        growth = np.exp(chip_market.cloud_growth * market.elapsed)
        earned = chip_market.cloud_reinvests * vendors.revenue * market.months * (vendors.kind == CLOUD)
        planned = vendors.chip_budget * appetite * growth + market.public
        units = np.floor((planned * market.years + earned) * rush / np.maximum(price, 1e-9))
        orders = vendors.alive & (worth > 0.0) & (vendors.kind != CHIPMAKER) & (units > 0.0)
        vendors.order_class = where(orders, best, MISSING)
        vendors.order_units = where(orders, units, 0.0)

    @decision
    def offer_compute(vendors, market: OfferSignals, p: Config) -> None:
        """Offer the share of the fleet that can be brought to market.

        Public centres stay idle while their chips are mixed and their software young; the
        platform raises what can be scheduled.
        """
        rental = p.rental
        mixed = sum_k(vendors.fleet * market.maturity) / np.maximum(sum_k(vendors.fleet), 1e-9)
        centre = rental.centre_offer * mixed * (1.0 + rental.platform_lift * market.platform)
        offer = where(vendors.kind == CENTRE, np.minimum(centre, 1.0), rental.cloud_offer)
        vendors.offered_share = offer

    @decision
    def build_platform(vendors, market: BuilderSignals, p: Config) -> None:
        """Spend own money on a platform up to where a further million brings a million in fees (M17).

        V q M/(M + h) - M is greatest at M = sqrt(V q h) - h: what members would pay, licence and skill, money. Public
        money comes first, and owners give no more than they have.
        """
        half = p.platform.half_resources
        best = np.sqrt(market.returns * market.skill * half) - half
        vendors.platform_budget = clip(best - market.public, 0.0, market.resources)
