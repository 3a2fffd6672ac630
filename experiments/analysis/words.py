"""Outcomes in words: a short label for axes, a phrase for sentences, a unit."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """How an output column is called."""

    label: str
    phrase: str
    unit: str = ""


_WORDS = {
    "labs_alive_cn": Words("Labs alive", "the number of labs alive in China", "labs"),
    "lab_exits_cn": Words("Exits of labs", "exits of labs in China", "labs a step"),
    "frontier_cn": Words("Frontier, China", "the frontier of China", "OOM"),
    "gap_cn_oom": Words("Gap, OOM", "the gap of China to the frontier", "OOM"),
    "gap_cn_months": Words("Gap, months", "the time by which China is behind the frontier", "months"),
    "gap_open_months": Words("Open gap", "the time by which open weights are behind the frontier", "months"),
    "largest_run_cn_flop": Words("Largest run", "the largest training run in China", "FLOP"),
    "price_gpt35_level": Words("Price, GPT-3.5", "the price of a GPT-3.5-level model", "CNY/Mtok"),
    "price_gpt4_level": Words("Price, GPT-4", "the price of a GPT-4-level model", "CNY/Mtok"),
    "price_flagship_cn": Words("Flagship price", "the price of flagship models in China", "CNY/Mtok"),
    "tokens_day_cn": Words("Tokens", "tokens sold a day in China", "Mtok a day"),
    "hhi_tokens_cn": Words("HHI of tokens", "the concentration (HHI) of tokens in China", "0 to 1"),
    "share_turbulence_cn": Words("Turbulence", "the turbulence of shares in China", "share"),
    "apps_alive_cn": Words("Apps alive", "the number of apps alive in China", "apps"),
    "app_survival_median_months": Words("Life of apps", "the median life of apps", "months"),
    "funding_cn": Words("Funding", "funding of labs and apps in China", "CNY m a step"),
    "trust_cn": Words("Trust", "trust in services in China", "index"),
    "consumer_surplus_cn": Words("Consumer surplus", "consumer surplus in China", "CNY m a step"),
    "models_released_cn": Words("Models released", "models released in China", "models"),
    "models_filed_cn": Words("Models filed", "models filed in China", "models"),
    "labs_from_scratch_cn": Words("From scratch", "labs in China that train from scratch", "labs"),
    "largest_run_row_flop": Words("Largest run, ROW", "the largest training run elsewhere", "FLOP"),
    "price_h100_rent_usd_hour": Words("Rent of an H100", "the rent of an H100", "USD/hour"),
    "h100e_cn_legal": Words("Legal chips", "the legal stock of chips in China", "H100e"),
    "grey_premium": Words("Grey premium", "the premium on the grey market", "share"),
    "lab_entries_cn": Words("Entries of labs", "entries of labs in China", "labs a step"),
    "app_entries_cn": Words("Entries of apps", "entries of apps in China", "apps a step"),
    "frontier_open_cn": Words("Open, China", "the frontier of open weights in China", "OOM"),
    "labs_on_open_base_cn": Words("On open base", "labs in China on others' open weights", "labs"),
    "top1_tokens_share_cn": Words("Largest lab", "the share of tokens of the largest lab in China", "share"),
    "utilisation_cn": Words("Utilisation", "the utilisation of chips in China", "share"),
    "public_spending_cn": Words("Public money", "public spending so far", "CNY m"),
    "h100e_cn_domestic": Words("Domestic chips", "the stock of domestic chips in China", "H100e"),
    "revenue_labs_cn": Words("Revenue, labs", "the revenue of labs in China", "CNY m a month"),
    "revenue_on_open_base_cn": Words(
        "Rev., open base", "the revenue of labs in China on others' open weights", "CNY m a month"
    ),
    "revenue_open_champions": Words(
        "Rev., champions", "the revenue of champions of open weights (abroad)", "CNY m a month"
    ),
    "revenue_apps_cn": Words("Revenue, apps", "the revenue of apps in China", "CNY m a month"),
    "revenue_clouds_cn": Words("Rents, clouds", "all rents of clouds in China", "CNY m a month"),
    "hype": Words("Hype", "hype", "index"),
}


def of(column: str) -> Words:
    """Words for a column; its own name where there are no better ones.

    Examples
    --------
    >>> of("labs_alive_cn").label, of("queue_length").label
    ('Labs alive', 'queue length')
    """
    plain = column.replace("_", " ")
    return _WORDS.get(column, Words(plain, plain))
