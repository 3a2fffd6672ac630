"""The mechanisms of the source articles, each with its off-switch (``mechanisms.<name>=false``)."""

from __future__ import annotations

from dataclasses import field, make_dataclass

from baimo.conf.mechanisms.apps import APPS
from baimo.conf.mechanisms.base import Mechanism
from baimo.conf.mechanisms.capital import CAPITAL
from baimo.conf.mechanisms.compute import COMPUTE
from baimo.conf.mechanisms.industry import INDUSTRY
from baimo.conf.mechanisms.models import MODELS
from baimo.conf.mechanisms.policy import POLICY
from baimo.conf.mechanisms.regulation import REGULATION
from baimo.conf.mechanisms.technology import TECHNOLOGY

#: All mechanisms in the order of their ids.
MECHANISMS: tuple[Mechanism, ...] = tuple(
    sorted(
        (*TECHNOLOGY, *COMPUTE, *CAPITAL, *MODELS, *APPS, *INDUSTRY, *REGULATION, *POLICY),
        key=lambda mechanism: mechanism.id,
    )
)
BY_NAME = {mechanism.name: mechanism for mechanism in MECHANISMS}


def _flag(mechanism: Mechanism) -> tuple[str, type, object]:
    """The switch of one mechanism as a field."""
    facts = {"unit": "flag", "low": 0, "high": 1, "source": mechanism.source}
    return mechanism.name, bool, field(default=True, metadata=facts | {"doc": f"{mechanism.id}: {mechanism.says}"})


#: Switches, one flag a mechanism.
Switches = make_dataclass("Switches", [_flag(each) for each in MECHANISMS])
Switches.__module__ = __name__
