"""Acquisitions: sale of a failing lab's staff, chips and model to a richer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ACQUIRED, ALIVE, CN, GAVE_UP, INSOLVENT, PARENT_WITHDREW, UNICORN
from baimo.world.capital.rounds import pay_holders
from baimo.world.engine.arrays import Array, clip, is_one_of, nonzero, sum_by_group, sum_k, take_rows, where

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def acquire(world: World) -> None:
    """Sell failing labs to rich labs at home that need staff.

    A buyer is drawn in proportion to its cash among those for whom the price is a small part of
    it; each takes one team at a time. ``merger_rule`` bars the leaders, or all labs, from buying.
    """
    labs, entry_exit = world.labs, world.parameters.entry_exit
    failing = is_one_of(labs.exit_reason, (INSOLVENT, PARENT_WITHDREW, GAVE_UP))
    skill = clip(labs.skill + entry_exit.worth_skill, entry_exit.worth_least, entry_exit.worth_most)
    worth = entry_exit.acquisition * skill
    offered = labs.alive & failing & (labs.draws("acquired") < worth)
    price = entry_exit.price_a_head * sum_k(labs.staff)
    worlds, rows = nonzero(offered)
    if not len(rows):
        return
    buyer = _buyers(world, worlds, rows, price[worlds, rows])
    done = buyer >= 0
    # One team a buyer and step keeps the till honest.
    key = where(done, worlds * labs.capacity + buyer, -1 - labs.xp.arange(len(rows)))
    first = np.zeros_like(done)
    first[np.unique(key, return_index=True)[1]] = True
    (done,) = nonzero(done & first)
    _hand_over(world, worlds[done], rows[done], buyer[done], price)


def _buyers(world: World, worlds: Array, rows: Array, price: Array) -> Array:
    """Row of the buyer of each lab on offer, -1 for none."""
    labs, entry_exit = world.labs, world.parameters.entry_exit
    rule = world.policy.capital.merger_rule
    able = labs.alive & (labs.exit_reason == ALIVE) & (labs.archetype <= UNICORN)
    lawful = (rule != "none") & ((rule != "no_leader") | (world.state.token_share < entry_exit.leader_share))
    able = able & (lawful | (labs.region != CN))
    purse = (labs.cash * entry_exit.purse_share)[worlds]
    fits = able[worlds] & (labs.region[worlds] == labs.region[worlds, rows][:, None]) & (purse > price[:, None])
    fits = fits & (labs.xp.arange(labs.capacity) != rows[:, None])
    ladder = np.cumsum(where(fits, purse, 0.0), axis=-1)
    u = world.streams.pairs("buyer", worlds, labs.id[worlds, rows], labs.xp.zeros((1, 1), dtype=np.int64))[0]
    found = (ladder <= (u * ladder[:, -1])[:, None]).sum(-1)
    return where(ladder[:, -1] > 0.0, np.minimum(found, labs.capacity - 1), -1)


def _hand_over(world: World, worlds: Array, rows: Array, buyer: Array, price: Array) -> None:
    """Transfer staff, know-how and chips to the buyer, and the price to the holders."""
    labs = world.labs
    sold = np.zeros_like(labs.alive)
    to = np.full_like(labs.id, -1)
    sold[worlds, rows] = True
    to[worlds, rows] = buyer
    labs.exit_reason = where(sold, ACQUIRED, labs.exit_reason)
    leads = sold & (take_rows(world.state.token_share, to) >= world.parameters.entry_exit.leader_share)
    world.count("leader_acquisitions", labs, leads)
    paid = where(sold, price, 0.0)
    world.accounts.pay("acquisitions", (labs, sum_by_group(paid, to, labs.capacity)), "outside")
    pay_holders(world, paid)
    for name in ("fleet", "incoming", "staff"):
        column = labs.columns[name].copy()
        moved = column[:, worlds, rows]
        column[:, worlds, rows] = 0.0
        column[:, worlds, buyer] += moved  # a buyer takes one team a step: no row stands here twice
        labs.columns[name] = column
