"""Model labs: firms that train foundation models and sell access to them."""

from baimo.agents.lab.compute import LabCompute
from baimo.agents.lab.market import LabMarket
from baimo.agents.lab.money import LabMoney
from baimo.agents.lab.training import LabTraining


class ModelLab(LabTraining, LabCompute, LabMarket, LabMoney):
    """A firm that trains foundation models and sells access to them."""
