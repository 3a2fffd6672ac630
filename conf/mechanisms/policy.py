"""Mechanisms of policy: how each is taken out and where it shows."""

from baimo.conf.mechanisms.base import Mechanism

POLICY = (
    Mechanism(
        "M18",
        "pace_layers",
        "every layer has its own pace, upper ones pull lower ones, and ruling one at another's pace costs",
        "000",
        off={"pace.shut_out": 0.0, "pace.late": 0.0, "pace.short_returns": 0.0, "pace.pull": 0.0},
        shows=("apps_public_cn", "h100e_cn_domestic"),
    ),
)
