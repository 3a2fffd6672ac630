"""Parameters of licensing, compliance and social trust."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class LicensingRules:
    """Filing of services and settings of authorities."""

    needed: float = par(1.0, "times", 0, 1, "002", "strength of the duty to file, relative to its dated phases")
    gate_opens: float = par(0.1, "1", 0, 1, "002", "hype from the first filings")
    filed_reputation: float = par(0.1, "utility", 0, 5, "000", "reputation that a filing confers")
    provincial_months: float = par(1.5, "months", 0, 24, "facts: filing_months", "provincial stage")
    least_months: float = par(3.0, "months", 0, 24, "facts: filing_months", "least time of both stages together")
    app_months: float = par(3.0, "months", 0, 24, "facts: filing_months", "least time of the filing of an app")
    strict_delay: float = par(
        3.0, "times", 0, 20, "prior", "increase of these times with stringency above the usual one"
    )
    usual_stringency: float = par(0.5, "share", 0, 1, "prior", "stringency at which the times hold as given")
    quickest: float = par(0.4, "times", 0.05, 1, "prior", "lower bound of the factor on these times")
    app_applies: float = par(
        0.12, "1/month", 0, 0.95, "facts: filings_cn", "rate at which apps of licensed segments apply"
    )
    stance_pace: float = par(0.3, "1/month", 0, 0.95, "000", "partial adjustment of authorities' settings")
    stance_before: float = par(
        0.3, "share", 0, 1, "prior", "stringency of content and enforcement of export control before their schedules"
    )
    incident_response: float = par(0.05, "1/incident", 0, 1, "prior", "response of the content authority to incidents")
    gap_response: float = par(0.5, "1", 0, 1, "prior", "response of the export authority to a closed gap")
    dominance: float = par(0.25, "share", 0, 1, "prior", "share of use at home above which a lab is dominant")
    dominance_fine: float = par(
        0.3, "share", 0, 5, "prior", "fine relative to revenue, by the share beyond that, at full stringency"
    )
    hhi_response: float = par(2.0, "1", 0, 5, "prior", "response of the competition authority to the Herfindahl index")


@dataclass
class Compliance:
    """Costs of compliance: content, unlawful data, suits, data across the border."""

    content_team: float = par(
        2.0, "CNY million/year", 0, 1000, "000", "staff answerable for a filed service, at full stringency"
    )
    border: float = par(1.0, "times", 0, 2, "000", "factor on the dated strength of the cross-border rule")
    content_duty: float = par(0.5, "times", 0, 5, "000", "cost of content checks, relative to that of light tokens")
    tainted: float = par(
        0.5, "1/year", 0, 10, "000", "hazard that usage data is unlawful and deleted, where all use is the public's"
    )
    checked: float = par(0.5, "times", 0, 1, "prior; 000", "the same of a filed service, which checks what it takes in")
    suit_rate: float = par(0.05, "1/year", 0, 10, "000", "hazard of a suit over training data, by log use")
    suit_scale: float = par(1000.0, "Mtok/day", 0.1, 1e7, "prior", "use on which suits are counted")
    tainted_suits: float = par(1.0, "times", 0, 20, "000", "increase of that hazard with usage data kept")
    damages: float = par(0.06, "share", 0, 10, "prior", "damages relative to a year's revenue")
    least_damages: float = par(2.0, "CNY million", 0, 1000, "prior", "lower bound of damages")
    suit_reputation: float = par(0.1, "utility", 0, 5, "000", "reputation lost by a suit")
    levy_peace: float = par(0.05, "share", 0.0001, 1, "prior", "e-folding of suits with the copyright levy")
    foreign_cut: float = par(
        0.6, "1/year", 0, 20, "000", "hazard that an app loses its foreign API, under the full rule"
    )
    foreign_risk: float = par(0.05, "share", 0, 1, "000", "share of such an app's revenue lost to legal risk")


@dataclass
class Trust:
    """Incidents, social trust, and reputation as its substitute."""

    start: float = par(0.5, "share", 0.05, 1, "prior", "social trust at the start")
    rate: float = par(0.05, "1/year", 0, 10, "prior", "hazard of an incident, by log use")
    token_scale: float = par(50.0, "Mtok/day", 0.1, 1e6, "prior", "use on which incidents are counted")
    filed_care: float = par(0.5, "times", 0, 1, "000", "hazard of filed services, relative to others")
    culprit: float = par(0.4, "utility", 0, 10, "000", "reputation that the lab of an incident loses")
    everybody: float = par(0.004, "share", 0, 1, "000", "social trust lost by an incident")
    build: float = par(0.22, "1/year", 0, 10, "000", "growth of social trust by regulation")
    unruled: float = par(0.3, "share", 0, 1, "prior", "weight of stringency before services need a licence")
    build_row: float = par(0.5, "share", 0, 1, "prior", "strength of regulation in ROW")
    least: float = par(0.05, "share", 0, 0.5, "prior", "lower bound of social trust")
    memory: float = par(6.0, "months", 0.5, 60, "prior", "time constant of the memory of incidents")
    substitution: float = par(
        1.5, "1", 0, 10, "000", "increase of the weight of reputation where social trust is lacking"
    )
    neutral: float = par(0.65, "share", 0, 1, "prior", "social trust at which reputation has its plain weight")
    permission: float = par(0.2, "share", 0, 1, "001", "least share of permissions, granted without any trust")
