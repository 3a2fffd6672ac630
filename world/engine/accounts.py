"""Double-entry accounts: every payment has a payer and a payee, and balances add up each month."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np

from baimo.world.engine.arrays import Array, row_sum

if TYPE_CHECKING:
    from collections.abc import Callable

    from baimo.world.engine.population import Population

#: Sectors that are not agents but have a balance in every world.
SECTORS = ("government", "users", "workers", "outside")

Party = "str | tuple[Population, Array]"


class Accounts:
    """Payments of one month between populations and sectors.

    ``pay`` moves the money at once; ``close`` compares what was moved with what the balances
    say, so that money that appears anywhere else shows as a residual.
    """

    def __init__(self, populations: dict[str, Population], worlds: int, xp):
        self.populations = populations
        self.names = {id(each): name for name, each in populations.items()}
        self.balance = {name: xp.zeros((worlds, 1)) for name in SECTORS}
        self.residual = xp.zeros((worlds, 1))
        self.open()

    def open(self) -> None:
        """Begin a month."""
        self.opening = self.holdings()
        self.net: dict[str, Array] = {}
        self.flows: dict[str, tuple[Array, Array]] = {}

    def holdings(self) -> dict[str, Array]:
        """Money of each sector, ``(worlds, 1)``."""
        held = {name: row_sum(each.cash) for name, each in self.populations.items()}
        return held | dict(self.balance)

    def pay(self, kind: str, payer: Party, payee: Party, operating: bool = False) -> None:
        """Move money.

        Parameters
        ----------
        kind : str
            What is paid for.
        payer, payee : (population, amounts) or sector name
            ``amounts`` is ``(worlds, rows)`` in CNY million. A sector takes the other side's
            total; between two populations both amounts are given.
        operating : bool
            Whether it is a cost of the payer's business and a revenue of the payee's, where they keep
            such books (``spent``, ``earned``): not money for assets, and not money of owners.
        """
        if isinstance(payer, str) and isinstance(payee, str):
            raise TypeError(f"{kind}: {payer} pays {payee}, but one of the two must be agents")
        paid = None if isinstance(payer, str) else row_sum(payer[1])
        received = None if isinstance(payee, str) else row_sum(payee[1])
        paid = received if paid is None else paid
        received = paid if received is None else received
        self._move(payer, paid, operator.sub)
        self._move(payee, received, operator.add)
        if operating:
            for party, book in ((payer, "spent"), (payee, "earned")):
                if not isinstance(party, str) and book in party[0].columns:
                    setattr(party[0], book, getattr(party[0], book) + party[1])
        before = self.flows.get(kind, (0.0, 0.0))
        self.flows[kind] = (before[0] + paid, before[1] + received)

    def _move(self, party: Party, total: Array, change: Callable) -> None:
        if isinstance(party, str):
            self.balance[party] = change(self.balance[party], total)
            name = party
        else:
            population, amounts = party
            population.cash = change(population.cash, amounts)
            name = self.names[id(population)]
        self.net[name] = change(self.net.get(name, 0.0), total)

    def close(self) -> Array:
        """End the month: largest relative gap between payments and balances, ``(worlds, 1)``."""
        held = self.holdings()
        scale = 1.0 + sum(np.abs(paid) for paid, _ in self.flows.values())
        scale = scale + sum(np.abs(each) for each in held.values())
        gap = 0.0
        for paid, received in self.flows.values():
            gap = np.maximum(gap, np.abs(paid - received) / scale)
        for name, now in held.items():
            expected = self.opening[name] + self.net.get(name, 0.0)
            gap = np.maximum(gap, np.abs(now - expected) / scale)
        self.residual = np.maximum(self.residual, gap)
        return gap
