"""Mechanisms of compute: how each is taken out and where it shows."""

from conf.mechanisms.base import Mechanism

COMPUTE = (
    Mechanism(
        "M07",
        "dispersion",
        "where chips are barred, substitutes disperse the supply and the labs",
        "000",
        off={},
        shows=(),
    ),
    Mechanism(
        "M17",
        "platform",
        "a middle layer unifies mixed chips, and it matters who builds it",
        "000",
        off={},
        shows=(),
    ),
    Mechanism(
        "M18",
        "pace_layers",
        "every layer has its own pace, and ruling one at another's pace costs",
        "000",
        off={},
        shows=(),
    ),
    Mechanism(
        "M32",
        "gpu_shortage",
        "shipments of chips fall short of demand",
        "002",
        off={},
        shows=(),
    ),
    Mechanism(
        "M35",
        "sparse_accelerators",
        "sparse cards serve more for less power",
        "002",
        off={},
        shows=(),
    ),
    Mechanism(
        "M43",
        "cloud_ecosystem",
        "clouds build an ecosystem, with compute for equity",
        "002",
        off={},
        shows=(),
    ),
    Mechanism(
        "M56",
        "codesign",
        "software for domestic chips is a commons that matures with use and co-design",
        "004",
        off={},
        shows=(),
    ),
)
