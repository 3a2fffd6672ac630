"""Parameters of licensing, compliance and social trust."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class LicensingRules:
    """Filing of services, stance of authorities."""

    needed: float = par(1.0, "times", 0, 1, "002", "how far the public is closed to services that are not filed")
    gate_opens: float = par(0.1, "1", 0, 1, "002", "hype from the first services that are filed")
    filed_reputation: float = par(0.1, "utility", 0, 5, "000", "reputation that a filing confers")
    provincial_months: float = par(1.5, "months", 0, 24, "facts: filing_months", "provincial stage")
    least_months: float = par(3.0, "months", 0, 24, "facts: filing_months", "both stages at the quickest")
    app_months: float = par(3.0, "months", 0, 24, "facts: filing_months", "the same for apps")
    strict_delay: float = par(3.0, "times", 0, 20, "prior", "delay with stringency beyond 0.5")
    usual_stringency: float = par(0.5, "share", 0, 1, "prior", "stringency at which stages take their usual time")
    quickest: float = par(0.4, "times", 0.05, 1, "prior", "shortest stages where stringency is low")
    app_applies: float = par(0.12, "1/month", 0, 0.95, "facts: filings_cn", "public apps that apply")
    stance_pace: float = par(0.3, "1/month", 0, 0.95, "000", "governance moves slowly")
    incident_response: float = par(0.05, "1/incident", 0, 1, "prior", "adaptive content authority")
    gap_response: float = par(0.5, "1", 0, 1, "prior", "adaptive export authority")
    dominance: float = par(0.25, "share", 0, 1, "prior", "share of use at home from which a lab is dominant")
    dominance_fine: float = par(0.3, "share", 0, 5, "prior", "fine on revenue, for a share of all, at full stringency")
    hhi_response: float = par(2.0, "1", 0, 5, "prior", "adaptive competition authority")


@dataclass
class Compliance:
    """What the law costs: content, tainted data, suits, data across the border."""

    content_team: float = par(
        0.6, "CNY million/year", 0, 1000, "000", "people who answer for the content of a filed service"
    )
    border: float = par(1.0, "times", 0, 2, "000", "strength of the rule on data across the border, as dated")
    content_duty: float = par(0.5, "times", 0, 5, "000", "checks of what a filed service says, in cost of light tokens")
    tainted: float = par(0.5, "1/year", 0, 10, "000", "usage data that turns out tainted and is thrown away")
    suit_rate: float = par(0.05, "1/year", 0, 10, "000", "suits over training data, at the usage where it is counted")
    suit_scale: float = par(1000.0, "Mtok/day", 0.1, 1e7, "prior", "usage on which suits are counted")
    tainted_suits: float = par(1.0, "times", 0, 20, "000", "what hoarded usage data adds to suits")
    damages: float = par(0.06, "share", 0, 10, "prior", "damages, of a year's revenue")
    least_damages: float = par(2.0, "CNY million", 0, 1000, "prior", "least damages")
    suit_reputation: float = par(0.1, "utility", 0, 5, "000", "reputation lost in a suit")
    levy_peace: float = par(0.05, "share", 0.0001, 1, "prior", "levy at which two thirds of the suits fall away")
    foreign_cut: float = par(0.6, "1/year", 0, 20, "000", "apps on foreign APIs cut off, under the full rule")
    foreign_risk: float = par(0.05, "share", 0, 1, "000", "revenue of such an app that legal risk costs")


@dataclass
class Trust:
    """Incidents, social trust, and the interpersonal trust that it replaces."""

    start: float = par(0.5, "share", 0.05, 1, "prior", "trust at the start")
    rate: float = par(0.05, "1/year", 0, 10, "prior", "incidents of a used model")
    token_scale: float = par(50.0, "Mtok/day", 0.1, 1e6, "prior", "usage on which incidents are counted")
    filed_care: float = par(0.5, "times", 0, 1, "000", "incidents of filed services")
    culprit: float = par(0.4, "utility", 0, 10, "000", "reputation lost by the culprit")
    everybody: float = par(0.004, "share", 0, 1, "000", "trust lost by all")
    build: float = par(0.4, "1/year", 0, 10, "000", "trust built by regulation")
    unruled: float = par(0.3, "share", 0, 1, "prior", "what authorities can do before services need a licence")
    build_row: float = par(0.5, "share", 0, 1, "prior", "strength of rules in ROW")
    least: float = par(0.05, "share", 0, 0.5, "prior", "trust that remains")
    memory: float = par(6.0, "months", 0.5, 60, "prior", "memory of incidents")
    substitution: float = par(1.5, "1", 0, 10, "000", "weight of reputation with what social trust lacks")
    neutral: float = par(0.65, "share", 0, 1, "prior", "social trust at which reputation has its plain weight")
    permission: float = par(0.2, "share", 0, 1, "001", "rights granted to an app or model without any trust")
