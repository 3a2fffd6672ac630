"""Mechanisms of capital: how each is taken out and where it shows."""

from baimo.conf.mechanisms.base import Mechanism

CAPITAL = (
    Mechanism(
        "M20",
        "round_sizes",
        "most rounds are small against the cost of a launch",
        "001",
        off={"capital.round_covers_launch": 1.0},
        shows=("rounds_below_launch_cn", "rounds_cn", "funding_labs_cn"),
    ),
    Mechanism(
        "M24",
        "burn_tolerance",
        "investors tolerate a burn without news for six months at most, which bounds the size of runs",
        "001",
        off={"capital.stale_penalty": 0.0, "training.longest_run": 24.0, "training.impatience": 0.0},
        shows=("largest_run_cn_flop", "largest_run_row_flop"),
    ),
    Mechanism(
        "M36",
        "devaluation",
        "an open base equalises, and devalues past training",
        "002",
        off={"technology.write_down": 0.0, "entry_exit.base_shock": 0.0, "capital.commodity_penalty": 0.0},
        shows=("sunk_value_lost_cn", "lab_pivots_cn", "funding_labs_cn"),
    ),
    Mechanism(
        "M42",
        "consensus",
        "consensus forms within months, as investors see each other invest",
        "002",
        off={"capital.herding": 0.0},
        shows=("investor_attention_cn", "funding_cn"),
    ),
    Mechanism(
        "M49",
        "rush_and_fade",
        "the rush trains people, attention fades, markets turn rational",
        "004",
        off={"talent.inflow_hype": 0.0, "capital.hype_tired": 100000.0, "capital.unused_penalty": 0.0},
        shows=("people_trained_cn", "hype"),
    ),
    Mechanism(
        "M51",
        "investor_kinds",
        "the young follow papers, the senior revenue",
        "004",
        off={"capital.kinds_differ": 0.0},
        shows=("funding_senior_share_cn", "funding_young_share_cn"),
    ),
    Mechanism(
        "M57",
        "noisy_evaluation",
        "evaluation is noisy, many-sided and gamed",
        "004",
        off={"capital.benchmark_noise": 0.0, "capital.gaming": 0.0},
        shows=("benchmark_fit_cn", "rounds_adding_nothing_cn"),
    ),
    Mechanism(
        "M63",
        "announcements",
        "share prices jump at announcements, later not",
        "004",
        off={"capital.announce_gain": 0.0},
        shows=("announcement_gain_cn", "labs_vertical_cn"),
    ),
    Mechanism(
        "M64",
        "domestic_doubt",
        "domestic exploration is doubted, foreign believed",
        "004",
        off={"capital.domestic_doubt": 0.0},
        shows=("hype", "lab_entries_cn"),
    ),
)
