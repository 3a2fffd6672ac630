"""Agents and their decisions: model labs, infrastructure vendors, app startups, investors, regulators."""

from baimo.agents.app import AppStartup
from baimo.agents.base import MarketAgent, decision
from baimo.agents.investor import Investor
from baimo.agents.lab import ModelLab
from baimo.agents.regulator import Regulator
from baimo.agents.vendor import InfraVendor
from baimo.conf.declare import column

__all__ = [
    "AppStartup",
    "InfraVendor",
    "Investor",
    "MarketAgent",
    "ModelLab",
    "Regulator",
    "column",
    "decision",
]
