//! What may be used of this customer, for this purpose, on this channel, at this moment?
//!
//! The answer is a [`PermittedView`] per purpose, and one protection view that only protective
//! principles read. What is not visible does not exist for any later step. This module does not
//! decide what to say: it drops only candidates whose own purpose has no basis.

use crate::{
    Duration, Timestamp,
    candidate::{Candidate, Dropped},
    id::{AttributeName, ChannelId},
    profile::{About, AttributeValue, Attributes, ConsentStatement, ConsentStatus, ContactHistory, Customer},
    reading::{Moment, Reading},
    request::{PlacementRequest, Request},
    rules::{Fact, Truth},
    strategy::{
        Action, Attribute, AttributeIndex, Basis, Purpose, PurposeIndex, Sensitivity, Strategy, Subject,
    },
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
    /// The customer restricted all processing.
    Restricted,
    /// The customer objected to this topic.
    TopicObjected,
    /// The customer objected to the use of this attribute.
    AttributeObjected,
    /// Consent-based profiling of minors is off.
    Minor,
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
    let protection = view(strategy, &stored, at, None, |attribute| {
        let protective = |purpose: &PurposeIndex| strategy.purposes[usize::from(*purpose)].protective;
        attribute.purposes.iter().any(protective).then_some(Ok(()))
    });
    let minor = concerns_minor(strategy, known, request, &protection.0, at);
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
            let profiling_is_off = minor && purpose.basis == Basis::Consent;
            let view = view(strategy, &stored, at, purpose.retention, |attribute| {
                let why = basis
                    .err()
                    .or(profiling_is_off.then_some(Withheld::Minor))
                    .or_else(|| explicit_consent(attribute, purpose).err())
                    .or_else(|| objection(attribute, purpose, consents, &request.channel).err());
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
    Permitted { by_purpose, protection: protection.0, withheld, nothing: PermittedView { facts: Vec::new() } }
}

/// Whether consent-based profiling is off: what is offered is meant for people under age, or this customer is
/// known to be. Not knowing an age is no reason to ask for it.
fn concerns_minor(
    strategy: &Strategy,
    known: Known<'_>,
    request: &Request,
    protection: &PermittedView<'_>,
    at: Timestamp,
) -> bool {
    let organisation = &strategy.organisation;
    let directed = |placement: &PlacementRequest| {
        strategy.placement(placement.placement.as_str()).is_some_and(|found| found.directed_at_minors)
    };
    if organisation.directed_at_minors || request.placements.iter().any(directed) {
        return true;
    }
    let nothing_yet = ContactHistory::default();
    let history = known.customer.map_or(&nothing_yet, |customer| &customer.history);
    organisation.minor_when.as_ref().is_some_and(|rule| {
        let moment = Moment::new(strategy, request, history, at);
        rule.truth(&Reading { view: protection, moment: &moment }) == Truth::True
    })
}

/// Drops every candidate whose own purpose has no basis, or whose topic the customer objected to.
pub fn apply(
    strategy: &Strategy,
    candidates: &mut [Candidate],
    permitted: &Permitted<'_>,
    customer: Option<&Customer>,
    request: &Request,
    at: Timestamp,
) {
    let statements: &[ConsentStatement] = customer.map_or(&[], |customer| &customer.profile.consents);
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        let action = &strategy.actions[usize::from(candidate.action)];
        let basis = permitted.view(action.purpose).map(|_| ());
        if let Err(why) = basis.and_then(|()| topic(strategy, action, statements, &request.channel, at)) {
            candidate.drop_because(Dropped::NoBasis(why));
        }
    }
}

/// Whether an action may still be said on `channel` at `at`: its purpose has a basis and the customer did
/// not object to its topic.
pub fn may_say(
    strategy: &Strategy,
    action: &Action,
    statements: &[ConsentStatement],
    channel: &ChannelId,
    global_privacy_control: bool,
    at: Timestamp,
) -> Result<(), Withheld> {
    let purpose = &strategy.purposes[usize::from(action.purpose)];
    basis(purpose, statements, channel, global_privacy_control, at)?;
    topic(strategy, action, statements, channel, at)
}

/// Whether what was read for `purpose` at `since` may still be learned from: since then nothing was said
/// against the purpose, against an attribute that serves it, or against everything. Consent given again does not
/// bring back what was read before.
pub fn may_learn(
    strategy: &Strategy,
    purpose: PurposeIndex,
    statements: &[ConsentStatement],
    since: Timestamp,
) -> bool {
    let concerns = |about: &About| match about {
        About::Purpose(id) => *id == strategy.purposes[usize::from(purpose)].id,
        About::Attribute(name) => strategy
            .attribute_index(name.as_str())
            .is_some_and(|index| strategy.attributes[usize::from(index)].purposes.contains(&purpose)),
        About::Everything => true,
        About::Topic(_) => false,
    };
    let against = |status| !matches!(status, ConsentStatus::Given | ConsentStatus::Lifted);
    !statements
        .iter()
        .any(|statement| statement.at >= since && against(statement.status) && concerns(&statement.about))
}

/// Whether `purpose` has a basis for this customer on `channel` at `at`: its lawful basis holds and no
/// restriction, objection, refusal or expiry stands in the way.
///
/// The latest statement on every channel and the latest on this one must both agree: the stricter wins.
/// An objection stands until it is lifted or consent is given after it; withdrawing something else does not
/// lift it. Lifting an objection grants nothing.
pub fn basis(
    purpose: &Purpose,
    statements: &[ConsentStatement],
    channel: &ChannelId,
    global_privacy_control: bool,
    at: Timestamp,
) -> Result<(), Withheld> {
    let restricts = |status| status == ConsentStatus::Restricted;
    if !survives_restriction(purpose.basis)
        && latest(statements, &|about| *about == About::Everything, channel, |_| true)
            .any(|found| restricts(found.status))
    {
        return Err(Withheld::Restricted);
    }
    let mine = |about: &About| matches!(about, About::Purpose(id) if *id == purpose.id);
    let withdraws_objection =
        |status| matches!(status, ConsentStatus::Objected | ConsentStatus::Given | ConsentStatus::Lifted);
    let objected = latest(statements, &mine, channel, withdraws_objection)
        .any(|statement| statement.status == ConsentStatus::Objected);
    if objected && purpose.basis != Basis::LegalObligation {
        return Err(Withheld::Objected);
    }
    let found: Vec<_> = latest(statements, &mine, channel, |_| true).collect();
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

/// The latest statement about something on every channel, and the latest on this one.
fn latest<'s>(
    statements: &'s [ConsentStatement],
    about: &'s dyn Fn(&About) -> bool,
    channel: &'s ChannelId,
    counts: fn(ConsentStatus) -> bool,
) -> impl Iterator<Item = &'s ConsentStatement> {
    [None, Some(channel)].into_iter().filter_map(move |on| {
        let concerns = |statement: &&ConsentStatement| {
            statement.channel.as_ref() == on && about(&statement.about) && counts(statement.status)
        };
        statements.iter().filter(concerns).max_by_key(|statement| statement.at)
    })
}

/// GDPR article 18(2): what the law requires and what protects a life goes on.
fn survives_restriction(basis: Basis) -> bool {
    matches!(basis, Basis::LegalObligation | Basis::VitalInterests)
}

/// Whether the customer objected to hearing about this: its issue, its group or the action itself. The
/// objection may have an end, after which it no longer stands.
fn topic(
    strategy: &Strategy,
    action: &Action,
    statements: &[ConsentStatement],
    channel: &ChannelId,
    at: Timestamp,
) -> Result<(), Withheld> {
    if strategy.purposes[usize::from(action.purpose)].basis == Basis::LegalObligation {
        return Ok(());
    }
    let stands = |statement: &ConsentStatement| {
        statement.status == ConsentStatus::Objected && statement.expires_at.is_none_or(|end| end > at)
    };
    let topics = [action.id.issue(), action.id.group(), action.id.as_str()];
    let objected = topics.into_iter().any(|path| {
        let mine = |about: &About| matches!(about, About::Topic(topic) if topic.as_str() == path);
        latest(statements, &mine, channel, |_| true).any(stands)
    });
    if objected { Err(Withheld::TopicObjected) } else { Ok(()) }
}

/// Whether the customer objected to the use of this attribute.
fn objection(
    attribute: &Attribute,
    purpose: &Purpose,
    statements: &[ConsentStatement],
    channel: &ChannelId,
) -> Result<(), Withheld> {
    let mine = |about: &About| matches!(about, About::Attribute(name) if *name == attribute.name);
    let objected = purpose.basis != Basis::LegalObligation
        && latest(statements, &mine, channel, |_| true)
            .any(|statement| statement.status == ConsentStatus::Objected);
    if objected { Err(Withheld::AttributeObjected) } else { Ok(()) }
}

/// Why a value of this attribute could not be read for any purpose in play that it serves; `None` when it
/// could, or when it serves none of them.
pub(crate) fn unusable(
    strategy: &Strategy,
    attribute: &Attribute,
    permitted: &Permitted<'_>,
    in_play: &[bool],
    statements: &[ConsentStatement],
    channel: &ChannelId,
) -> Option<Withheld> {
    let mut obstacle = None;
    for &index in attribute.purposes.iter().filter(|index| in_play[usize::from(**index)]) {
        let purpose = &strategy.purposes[usize::from(index)];
        let usable = permitted
            .view(index)
            .and_then(|_| explicit_consent(attribute, purpose))
            .and_then(|()| objection(attribute, purpose, statements, channel));
        match usable {
            Ok(()) => return None,
            Err(why) => obstacle = Some(why),
        }
    }
    obstacle
}

fn explicit_consent(attribute: &Attribute, purpose: &Purpose) -> Result<(), Withheld> {
    let allowed = attribute.sensitivity != Sensitivity::Special || purpose.basis == Basis::Consent;
    if allowed { Ok(()) } else { Err(Withheld::SpecialCategory) }
}

type View<'a> = (PermittedView<'a>, Vec<(AttributeIndex, Withheld)>);

/// `kept_for` is how long a value may serve at most. `covered` says whether an attribute belongs to the view at all and, if so, whether the basis holds.
fn view<'a>(
    strategy: &Strategy,
    stored: &[Option<&'a AttributeValue>],
    at: Timestamp,
    kept_for: Option<Duration>,
    covered: impl Fn(&Attribute) -> Option<Result<(), Withheld>>,
) -> View<'a> {
    let mut withheld = Vec::new();
    let facts = (0u16..)
        .zip(strategy.attributes.iter().zip(stored))
        .map(|(index, (attribute, value))| {
            let (value, basis) = (value.as_ref()?, covered(attribute)?);
            let confidence = confidence_now(attribute, value, at);
            let kept_for = kept_for.map_or(attribute.retention, |most| most.min(attribute.retention));
            let why = basis.and_then(|()| readable(strategy, kept_for, value, confidence, at)).err();
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
    kept_for: Duration,
    value: &AttributeValue,
    confidence: f32,
    at: Timestamp,
) -> Result<(), Withheld> {
    let kept_until = value.observed_at.saturating_add(kept_for).unwrap_or(Timestamp::MAX);
    if value.expires_at.min(kept_until) <= at {
        Err(Withheld::RetentionOver)
    } else if confidence < strategy.organisation.confidence_floor {
        Err(Withheld::Unreliable)
    } else {
        Ok(())
    }
}
