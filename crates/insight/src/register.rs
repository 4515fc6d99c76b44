//! Which processing does the organisation answer for? The register of GDPR article 30, out of the strategy: for every
//! purpose its ground, whose data, which, from where, who gets them, how long, and who answers for them.
//!
//! A pure function of the strategy. What an organisation has to know and a strategy does not hold (transfers,
//! security measures) is named as not held here rather than made up.

use decision::{
    explain::Tongue,
    profile::Source,
    strategy::{Attribute, Basis, Purpose, Reviewed, Sensitivity, Strategy, Subject},
};
use serde::Serialize;
use std::{collections::BTreeSet, fmt};

/// What a strategy cannot know about processing; article 30(1)(e) and (g).
const NOT_HELD: [&str; 2] =
    ["transfers to third countries", "technical and organisational security measures"];

/// The register.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Register {
    /// The controller.
    pub controller: String,
    /// Where questions go.
    pub contact: Option<String>,
    /// The data protection officer.
    pub data_protection_officer: Option<String>,
    /// The strategy version it was made from.
    pub version: String,
    /// One entry per purpose.
    pub activities: Vec<Activity>,
    /// What has to be in a register and is not held here.
    pub not_held: Vec<&'static str>,
}

/// One processing activity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Activity {
    /// The purpose, by id.
    pub purpose: String,
    /// In words.
    pub name: String,
    /// GDPR article 6(1).
    pub basis: Basis,
    /// The balance of interests, where it rests on one.
    pub assessment: Option<Assessment>,
    /// The data protection impact assessment.
    pub impact_assessment: Option<Assessment>,
    /// People are profiled systematically.
    pub profiling: bool,
    /// Whose data.
    pub subjects: Vec<&'static str>,
    /// Which data.
    pub data: Vec<Datum>,
    /// Who else gets them.
    pub recipients: Vec<String>,
    /// Time limit of erasure, in days: the longest of its data.
    pub erased_after_days: Option<i64>,
    /// Actions it serves, by id.
    pub actions: Vec<String>,
    /// Who answers for its data and actions.
    pub owners: Vec<String>,
}

/// An assessment kept elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessment {
    /// Where.
    pub reference: String,
    /// Made on, RFC 3339 date.
    pub date: String,
}

/// One kind of data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Datum {
    /// The attribute.
    pub attribute: String,
    /// W3C Data Privacy Vocabulary id.
    pub category: Option<String>,
    /// How careful one must be with it.
    pub sensitivity: Sensitivity,
    /// Where it comes from.
    pub source: Source,
    /// Kept for, in days, for this purpose.
    pub retention_days: i64,
    /// Why for more than a year.
    pub retention_reason: Option<String>,
    /// Who answers for it.
    pub owner: String,
}

/// Makes the register.
pub fn register(strategy: &Strategy, tongue: Tongue) -> Register {
    let organisation = &strategy.organisation;
    Register {
        controller: organisation.name.clone(),
        contact: organisation.contact.clone(),
        data_protection_officer: organisation.data_protection_officer.clone(),
        version: strategy.version.to_string(),
        activities: (0u16..)
            .zip(&strategy.purposes)
            .map(|(index, purpose)| activity(strategy, index, purpose, tongue))
            .collect(),
        not_held: NOT_HELD.to_vec(),
    }
}

fn activity(strategy: &Strategy, index: u16, purpose: &Purpose, tongue: Tongue) -> Activity {
    let attributes = || strategy.attributes.iter().filter(|attribute| attribute.purposes.contains(&index));
    let actions = || strategy.actions.iter().filter(|action| action.purpose == index);
    let data: Vec<Datum> = attributes().map(|attribute| datum(attribute, purpose)).collect();
    let subject = |attribute: &Attribute| match attribute.subject {
        Subject::Customer => "customers",
        Subject::Household => "households of customers",
    };
    let owners = attributes()
        .map(|attribute| &attribute.owner)
        .chain(actions().map(|action| &action.owner))
        .filter(|owner| !owner.is_empty());
    Activity {
        purpose: purpose.id.as_str().to_owned(),
        name: tongue.pick(&purpose.name).unwrap_or(purpose.id.as_str()).to_owned(),
        basis: purpose.basis,
        assessment: purpose.assessment.as_ref().map(assessment),
        impact_assessment: purpose.impact_assessment.as_ref().map(assessment),
        profiling: purpose.profiling,
        subjects: attributes().map(subject).collect::<BTreeSet<_>>().into_iter().collect(),
        recipients: purpose.recipients.clone(),
        erased_after_days: data.iter().map(|datum| datum.retention_days).max(),
        actions: actions().map(|action| action.id.as_str().to_owned()).collect(),
        owners: owners.collect::<BTreeSet<_>>().into_iter().cloned().collect(),
        data,
    }
}

fn assessment(reviewed: &Reviewed) -> Assessment {
    let date = reviewed.date.to_string();
    Assessment {
        reference: reviewed.reference.clone(),
        date: date.split('T').next().unwrap_or(&date).to_owned(),
    }
}

fn datum(attribute: &Attribute, purpose: &Purpose) -> Datum {
    let kept = purpose.retention.map_or(attribute.retention, |most| most.min(attribute.retention));
    Datum {
        attribute: attribute.name.as_str().to_owned(),
        category: attribute.category.clone(),
        sensitivity: attribute.sensitivity,
        source: attribute.source,
        retention_days: kept.as_hours() / 24,
        retention_reason: attribute.retention_reason.clone(),
        owner: attribute.owner.clone(),
    }
}

impl fmt::Display for Register {
    /// As Markdown.
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(page, "# Register of processing activities (GDPR article 30)\n")?;
        writeln!(page, "- Controller: {}", self.controller)?;
        for (what, who) in
            [("Contact", &self.contact), ("Data protection officer", &self.data_protection_officer)]
        {
            writeln!(page, "- {what}: {}", who.as_deref().unwrap_or("not declared"))?;
        }
        writeln!(page, "- Strategy version: `{}`", self.version)?;
        writeln!(page, "- Not held here: {}", self.not_held.join("; "))?;
        self.activities.iter().try_for_each(|activity| write!(page, "\n{activity}"))
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |names: &[String]| match names {
            [] => "none declared".to_owned(),
            names => names.join("; "),
        };
        let made = |found: &Option<Assessment>| match found {
            Some(found) => format!("{} ({})", found.reference, found.date),
            None => "none".to_owned(),
        };
        writeln!(page, "## {} (`{}`)\n", self.name, self.purpose)?;
        writeln!(page, "- Lawful basis: {}", basis(self.basis))?;
        if self.basis == Basis::LegitimateInterests {
            writeln!(page, "- Balance of interests: {}", made(&self.assessment))?;
        }
        writeln!(page, "- Impact assessment: {}", made(&self.impact_assessment))?;
        writeln!(page, "- Systematic profiling: {}", if self.profiling { "yes" } else { "no" })?;
        writeln!(page, "- Data subjects: {}", self.subjects.join("; "))?;
        writeln!(page, "- Recipients: {}", listed(&self.recipients))?;
        if let Some(days) = self.erased_after_days {
            writeln!(page, "- Erased after: {days} days at most")?;
        }
        writeln!(page, "- Owners: {}", listed(&self.owners))?;
        writeln!(page, "- Actions: {}", listed(&self.actions))?;
        if self.data.is_empty() {
            return writeln!(page, "- Data: none");
        }
        writeln!(
            page,
            "\n| data | category | sensitivity | source | days kept | owner |\n|---|---|---|---|---|---|"
        )?;
        for datum in &self.data {
            let reason =
                datum.retention_reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
            writeln!(
                page,
                "| {} | {} | {} | {} | {}{} | {} |",
                datum.attribute,
                datum.category.as_deref().unwrap_or("–"),
                sensitivity(datum.sensitivity),
                source(datum.source),
                datum.retention_days,
                cell(&reason),
                cell(&datum.owner)
            )?;
        }
        Ok(())
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Consent => "consent, article 6(1)(a)",
        Basis::Contract => "contract, article 6(1)(b)",
        Basis::LegalObligation => "legal obligation, article 6(1)(c)",
        Basis::VitalInterests => "vital interests, article 6(1)(d)",
        Basis::PublicTask => "public task, article 6(1)(e)",
        Basis::LegitimateInterests => "legitimate interests, article 6(1)(f)",
    }
}

fn sensitivity(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Ordinary => "ordinary",
        Sensitivity::FinancialDistress => "financial distress",
        Sensitivity::Special => "special, article 9",
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Provided => "provided",
        Source::Observed => "observed",
        Source::Derived => "derived",
        Source::ThirdParty => "third party",
    }
}
