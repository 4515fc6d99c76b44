//! What does the organisation tell the public about the data it keeps? GDPR articles 13 and 14, out of the strategy:
//! what, where it comes from, for what, on which ground, for how long, and what people can do about it.
//!
//! A pure function of the strategy: what is not declared is not promised. It names no customer and knows none.

mod page;
mod words;

use decision::{
    explain::Tongue,
    strategy::{Attribute, Basis, Purpose, PurposeIndex, Sensitivity, Strategy, Subject},
};
use serde::Serialize;

/// The notice in one language.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// `nl` or `en`.
    pub language: &'static str,
    /// Whose notice it is.
    pub organisation: String,
    /// Where questions go; `None` when the strategy does not say.
    pub contact: Option<String>,
    /// How the data protection officer is reached, where there is one.
    pub data_protection_officer: Option<String>,
    /// The strategy version it was made from.
    pub version: String,
    /// For what data are used.
    pub purposes: Vec<PurposeNotice>,
    /// What is kept about people, by purpose in the order of `purposes`, then by name.
    pub facts: Vec<FactNotice>,
    /// What is kept besides, of everybody.
    pub records: Vec<Record>,
    /// How is decided.
    pub deciding: Vec<String>,
    /// What people can do.
    pub rights: Vec<Right>,
}

/// One use of data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PurposeNotice {
    /// Its id in the strategy.
    pub purpose: String,
    /// In words.
    pub name: String,
    /// What it means, in words; `None` when nothing more is said.
    pub explanation: Option<String>,
    /// The version of those two: what a consent is given to.
    pub text: String,
    /// GDPR article 6(1), one word.
    pub basis: Basis,
    /// The same in words.
    pub ground: &'static str,
    /// How to say no, in words.
    pub choice: String,
    /// How long data may serve it at most, in days; `None` is as long as each fact is kept.
    pub retention_days: Option<i64>,
    /// How long a consent holds, in days; `None` when it does not rest on consent.
    pub consent_holds_days: Option<i64>,
    /// Over which channels, in words; empty is all.
    pub channels: Vec<String>,
    /// Who else gets data for it.
    pub recipients: Vec<String>,
    /// People are profiled systematically for it.
    pub profiling: bool,
    /// Only what holds us back reads it.
    pub protective: bool,
    /// Nothing that is decided reads it: it shows whether people are treated alike.
    pub audit_only: bool,
}

/// One fact that is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FactNotice {
    /// Its name in the strategy.
    pub attribute: String,
    /// In words.
    pub label: String,
    /// It is about the household.
    pub household: bool,
    /// How it is collected, in words.
    pub from: &'static str,
    /// The W3C Data Privacy Vocabulary id, where declared.
    pub category: Option<String>,
    /// How careful one must be with it.
    pub sensitivity: Sensitivity,
    /// For which purposes, by id.
    pub purposes: Vec<String>,
    /// How long a value is kept, in days.
    pub retention_days: i64,
    /// The same in words.
    pub kept_for: String,
    /// Why it is kept for more than a year.
    pub retention_reason: Option<String>,
    /// Estimates of what people will do may be made from it.
    pub learned_from: bool,
}

/// Something that is kept of everybody.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// What.
    pub what: &'static str,
    /// For how long, in words.
    pub kept_for: String,
}

/// One right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Right {
    /// What one may, in words.
    pub right: &'static str,
    /// How, and what happens then.
    pub how: &'static str,
}

/// Makes the notice.
pub fn notice(strategy: &Strategy, tongue: Tongue) -> Notice {
    let organisation = &strategy.organisation;
    let order = order(strategy);
    let mut facts: Vec<&Attribute> = strategy.attributes.iter().collect();
    let first_use = |fact: &Attribute| {
        order.iter().position(|purpose| fact.purposes.contains(purpose)).unwrap_or(order.len())
    };
    facts.sort_by_key(|fact| first_use(fact));
    Notice {
        language: tongue.say("nl", "en"),
        organisation: organisation.name.clone(),
        contact: organisation.contact.clone(),
        data_protection_officer: organisation.data_protection_officer.clone(),
        version: strategy.version.to_string(),
        purposes: order
            .iter()
            .map(|index| purpose(strategy, &strategy.purposes[usize::from(*index)], tongue))
            .collect(),
        facts: facts.into_iter().map(|attribute| fact(strategy, attribute, tongue)).collect(),
        records: words::records(tongue),
        deciding: words::deciding(strategy, tongue),
        rights: words::rights(strategy, tongue),
    }
}

/// What people can choose about comes first.
fn order(strategy: &Strategy) -> Vec<PurposeIndex> {
    let mut order: Vec<PurposeIndex> = (0u16..).zip(&strategy.purposes).map(|(index, _)| index).collect();
    order.sort_by_key(|index| match strategy.purposes[usize::from(*index)].basis {
        Basis::Consent => 0,
        Basis::LegitimateInterests | Basis::PublicTask => 1,
        Basis::Contract => 2,
        Basis::LegalObligation | Basis::VitalInterests => 3,
    });
    order
}

fn purpose(strategy: &Strategy, purpose: &Purpose, tongue: Tongue) -> PurposeNotice {
    let channel = |id: &decision::id::ChannelId| {
        let channel = strategy.channels.iter().find(|channel| channel.id == *id);
        channel.and_then(|channel| tongue.pick(&channel.name)).unwrap_or(id.as_str()).to_owned()
    };
    PurposeNotice {
        purpose: purpose.id.as_str().to_owned(),
        name: tongue.pick(&purpose.name).unwrap_or(purpose.id.as_str()).to_owned(),
        explanation: tongue.pick(&purpose.explanation).map(str::to_owned),
        text: purpose.text.to_string(),
        basis: purpose.basis,
        ground: words::ground(tongue, purpose.basis),
        choice: words::choice(tongue, purpose),
        retention_days: purpose.retention.map(days),
        consent_holds_days: (purpose.basis == Basis::Consent).then(|| days(purpose.consent_holds)),
        channels: purpose.channels.iter().map(channel).collect(),
        recipients: purpose.recipients.clone(),
        profiling: purpose.profiling,
        protective: purpose.protective,
        audit_only: purpose.audit_only,
    }
}

fn fact(strategy: &Strategy, attribute: &Attribute, tongue: Tongue) -> FactNotice {
    let id = |index: &PurposeIndex| strategy.purposes[usize::from(*index)].id.as_str().to_owned();
    FactNotice {
        attribute: attribute.name.as_str().to_owned(),
        label: tongue.pick(&attribute.label).unwrap_or(attribute.name.as_str()).to_owned(),
        household: attribute.subject == Subject::Household,
        from: words::from(tongue, attribute.source),
        category: attribute.category.clone(),
        sensitivity: attribute.sensitivity,
        purposes: attribute.purposes.iter().map(id).collect(),
        retention_days: days(attribute.retention),
        kept_for: tongue.duration(attribute.retention),
        retention_reason: attribute.retention_reason.clone(),
        learned_from: attribute.learn,
    }
}

fn days(length: decision::Duration) -> i64 {
    length.as_hours() / 24
}
