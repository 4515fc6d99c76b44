//! What may be used of this customer, for this purpose, on this channel, at this moment?
//!
//! The answer is a [`PermittedView`] per purpose, and one protection view that only protective
//! principles read. What is not visible does not exist for any later step. This module does not
//! decide what to say: it drops only candidates whose own purpose has no basis.

use crate::{
    Timestamp,
    candidate::{Candidate, Dropped},
    id::{AttributeName, ChannelId},
    profile::{AttributeValue, Attributes, ConsentStatement, ConsentStatus, Customer},
    request::Request,
    rules::Fact,
    strategy::{Attribute, AttributeIndex, Basis, Purpose, PurposeIndex, Sensitivity, Strategy, Subject},
};
use serde::{Deserialize, Serialize};
use std::{collections::btree_map, iter::Peekable};

/// Why a purpose has no basis, or a value is not visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// The customer never gave consent.
    NoConsent,
    /// The customer refused when asked.
    Refused,
    /// The customer withdrew consent.
    Withdrawn,
    /// The consent has run out.
    ConsentExpired,
    /// The customer objected, in words or through the browser.
    Objected,
    /// The value is past its retention.
    RetentionOver,
    /// Not sure enough to be relied on.
    Unreliable,
    /// A special category without explicit consent.
    SpecialCategory,
}

/// One attribute that exists but may not be read for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithheldAttribute {
    /// Which.
    pub attribute: AttributeIndex,
    /// For which purpose.
    pub purpose: PurposeIndex,
    /// Why.
    pub why: Withheld,
}

/// The attributes that may be read for one purpose (or for protection), by index.
#[derive(Debug, Clone)]
pub struct PermittedView<'a> {
    facts: Vec<Option<Fact<'a>>>,
}

impl<'a> PermittedView<'a> {
    /// A permitted value.
    pub fn fact(&self, index: AttributeIndex) -> Option<Fact<'a>> {
        self.facts.get(usize::from(index)).copied().flatten()
    }
    /// All permitted values, by index.
    pub fn iter(&self) -> impl Iterator<Item = (AttributeIndex, Fact<'a>)> + '_ {
        (0u16..).zip(&self.facts).filter_map(|(index, fact)| fact.map(|fact| (index, fact)))
    }
}

/// What the consent mask lets through.
pub struct Permitted<'a> {
    by_purpose: Vec<Result<PermittedView<'a>, Withheld>>,
    /// For protective principles only.
    pub protection: PermittedView<'a>,
    /// What exists but was withheld, by attribute and purpose.
    pub withheld: Vec<WithheldAttribute>,
    nothing: PermittedView<'a>,
}

impl<'a> Permitted<'a> {
    /// The view for a purpose; an empty one when it has no basis.
    pub fn view_or_empty(&self, purpose: PurposeIndex) -> &PermittedView<'a> {
        self.by_purpose[usize::from(purpose)].as_ref().unwrap_or(&self.nothing)
    }
    /// Whether any view, or protection, shows this attribute.
    pub fn visible_anywhere(&self, attribute: AttributeIndex) -> bool {
        let views = self.by_purpose.iter().flatten();
        views.chain([&self.protection]).any(|view| view.fact(attribute).is_some())
    }
    /// The view for a purpose, or why the purpose has no basis.
    pub fn view(&self, purpose: PurposeIndex) -> Result<&PermittedView<'a>, Withheld> {
        self.by_purpose[usize::from(purpose)].as_ref().map_err(|why| *why)
    }
}

/// Who is asked about, unmasked; only [`mask`] reads it.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The recognised customer.
    pub customer: Option<&'a Customer>,
    /// The household's attributes.
    pub household: Option<&'a Attributes>,
}

/// Builds the views of all purposes that are in play; the others stay empty.
pub fn mask<'a>(
    strategy: &Strategy,
    known: Known<'a>,
    request: &Request,
    in_play: &[bool],
    at: Timestamp,
) -> Permitted<'a> {
    let stored = stored(strategy, known);
    let consents: &[ConsentStatement] = known.customer.map_or(&[], |customer| &customer.profile.consents);
    let mut withheld = Vec::new();
    let by_purpose = (0u16..)
        .zip(&strategy.purposes)
        .map(|(index, purpose)| {
            if !in_play[usize::from(index)] {
                return Err(Withheld::NoConsent);
            }
            let basis = match known.customer {
                Some(_) => basis(purpose, consents, &request.channel, request.global_privacy_control, at),
                None => Ok(()),
            };
            let view = view(strategy, &stored, at, |attribute| {
                let why = basis.err().or_else(|| explicit_consent(attribute, purpose).err());
                attribute.purposes.contains(&index).then_some(why.map_or(Ok(()), Err))
            });
            withheld.extend(view.1.into_iter().map(|(attribute, why)| WithheldAttribute {
                attribute,
                purpose: index,
                why,
            }));
            basis.map(|()| view.0)
        })
        .collect();
    let protection = view(strategy, &stored, at, |attribute| {
        let protective = |purpose: &PurposeIndex| strategy.purposes[usize::from(*purpose)].protective;
        attribute.purposes.iter().any(protective).then_some(Ok(()))
    });
    Permitted { by_purpose, protection: protection.0, withheld, nothing: PermittedView { facts: Vec::new() } }
}

/// Drops every candidate whose own purpose has no basis.
pub fn apply(strategy: &Strategy, candidates: &mut [Candidate], permitted: &Permitted<'_>) {
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        if let Err(why) = permitted.view(strategy.actions[usize::from(candidate.action)].purpose) {
            candidate.drop_because(Dropped::NoBasis(why));
        }
    }
}

/// Whether `purpose` has a basis for this customer on `channel` at `at`: its lawful basis holds and no
/// objection, refusal or expiry stands in the way.
///
/// The latest statement on every channel and the latest on this one must both agree: the stricter wins.
/// An objection stands until consent is given after it; withdrawing something else does not lift it.
pub fn basis(
    purpose: &Purpose,
    statements: &[ConsentStatement],
    channel: &ChannelId,
    global_privacy_control: bool,
    at: Timestamp,
) -> Result<(), Withheld> {
    let latest = |on: Option<&ChannelId>, counts: fn(ConsentStatus) -> bool| {
        let about = |statement: &&ConsentStatement| {
            statement.purpose == purpose.id && statement.channel.as_ref() == on && counts(statement.status)
        };
        statements.iter().filter(about).max_by_key(|statement| statement.at)
    };
    let scopes = [None, Some(channel)];
    let objection = |status| matches!(status, ConsentStatus::Objected | ConsentStatus::Given);
    let objected = scopes
        .iter()
        .filter_map(|on| latest(*on, objection))
        .any(|statement| statement.status == ConsentStatus::Objected);
    if objected && purpose.basis != Basis::LegalObligation {
        return Err(Withheld::Objected);
    }
    let found: Vec<_> = scopes.iter().filter_map(|on| latest(*on, |_| true)).collect();
    let needs_consent = purpose.basis == Basis::Consent;
    for statement in found.iter().filter(|_| needs_consent) {
        match statement.status {
            ConsentStatus::Withdrawn => return Err(Withheld::Withdrawn),
            ConsentStatus::Refused => return Err(Withheld::Refused),
            ConsentStatus::Given if statement.expires_at.is_some_and(|end| end <= at) => {
                return Err(Withheld::ConsentExpired);
            }
            _ => {}
        }
    }
    let given = found.iter().any(|statement| statement.status == ConsentStatus::Given);
    if global_privacy_control && purpose.global_privacy_control && !given {
        return Err(Withheld::Objected);
    }
    if needs_consent && !given { Err(Withheld::NoConsent) } else { Ok(()) }
}

/// A confidence after ageing: halved once per half-life.
pub fn confidence_now(attribute: &Attribute, value: &AttributeValue, at: Timestamp) -> f32 {
    let Some(half_life) = attribute.half_life else {
        return value.confidence;
    };
    let age_s = at.duration_since(value.observed_at).as_secs_f64().max(0.0);
    let factor = libm::exp2(-age_s / half_life.as_secs_f64());
    (f64::from(value.confidence) * factor) as f32
}

fn explicit_consent(attribute: &Attribute, purpose: &Purpose) -> Result<(), Withheld> {
    let allowed = attribute.sensitivity != Sensitivity::Special || purpose.basis == Basis::Consent;
    if allowed { Ok(()) } else { Err(Withheld::SpecialCategory) }
}

type View<'a> = (PermittedView<'a>, Vec<(AttributeIndex, Withheld)>);

/// `covered` says whether an attribute belongs to the view at all and, if so, whether the basis holds.
fn view<'a>(
    strategy: &Strategy,
    stored: &[Option<&'a AttributeValue>],
    at: Timestamp,
    covered: impl Fn(&Attribute) -> Option<Result<(), Withheld>>,
) -> View<'a> {
    let mut withheld = Vec::new();
    let facts = (0u16..)
        .zip(strategy.attributes.iter().zip(stored))
        .map(|(index, (attribute, value))| {
            let (value, basis) = (value.as_ref()?, covered(attribute)?);
            let confidence = confidence_now(attribute, value, at);
            let why = basis.and_then(|()| readable(strategy, attribute, value, confidence, at)).err();
            match why {
                None => Some(Fact { value: &value.value, confidence }),
                Some(why) => {
                    withheld.push((index, why));
                    None
                }
            }
        })
        .collect();
    (PermittedView { facts }, withheld)
}

/// Everything stored that has its declared type, by attribute.
pub(crate) fn stored<'a>(strategy: &Strategy, known: Known<'a>) -> Vec<Option<&'a AttributeValue>> {
    let mut of_customer = Walk::new(known.customer.map(|customer| &customer.profile.attributes));
    let mut of_household = Walk::new(known.household);
    let find = |attribute: &Attribute| {
        let values = match attribute.subject {
            Subject::Customer => &mut of_customer,
            Subject::Household => &mut of_household,
        };
        values.at(&attribute.name).filter(|value| value.value.value_type() == attribute.value_type)
    };
    strategy.attributes.iter().map(find).collect()
}

/// Stored values asked for in order of their names: one walk finds all.
struct Walk<'a>(Peekable<btree_map::Iter<'a, AttributeName, AttributeValue>>);

impl<'a> Walk<'a> {
    fn new(attributes: Option<&'a Attributes>) -> Self {
        Self(attributes.map_or_else(btree_map::Iter::default, Attributes::iter).peekable())
    }

    fn at(&mut self, name: &AttributeName) -> Option<&'a AttributeValue> {
        while self.0.next_if(|(stored, _)| *stored < name).is_some() {}
        self.0.next_if(|(stored, _)| *stored == name).map(|(_, value)| value)
    }
}

fn readable(
    strategy: &Strategy,
    attribute: &Attribute,
    value: &AttributeValue,
    confidence: f32,
    at: Timestamp,
) -> Result<(), Withheld> {
    let kept_until = value.observed_at.saturating_add(attribute.retention).unwrap_or(Timestamp::MAX);
    if value.expires_at.min(kept_until) <= at {
        Err(Withheld::RetentionOver)
    } else if confidence < strategy.organisation.confidence_floor {
        Err(Withheld::Unreliable)
    } else {
        Ok(())
    }
}
