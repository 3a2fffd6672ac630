"""Who decides what: model labs, infrastructure vendors, app startups, investors, regulators."""

from agents.app import AppStartup
from agents.base import MarketAgent, column, decision
from agents.investor import Investor
from agents.lab import ModelLab
from agents.regulator import Regulator
from agents.vendor import InfraVendor

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
