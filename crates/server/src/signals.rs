//! Which purposes does a signal speak about? Browser headers, consent objects of events and TCF strings are mapped by
//! what each purpose declares; a signal that no purpose declares says nothing.

use crate::{app::App, batch::Item, problem::Problem, tcf};
use decision::strategy::{Purpose, Strategy};
use engine::{EngineError, Evidence, EvidenceKind, Identifier, Signal, Signalled, Verdict, storage::Ticket};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What `Sec-GPC: 1` says: an objection to every purpose that heeds it.
pub fn of_browser(strategy: &Strategy) -> Vec<Signal> {
    let heeding = strategy.purposes.iter().filter(|purpose| purpose.global_privacy_control);
    heeding
        .filter_map(|purpose| signal(purpose, Signalled::Objects, EvidenceKind::GlobalPrivacyControl, None))
        .collect()
}

/// What the `categoryPreferences` of a consent object say.
pub fn of_categories(strategy: &Strategy, preferences: &BTreeMap<String, bool>) -> Vec<Signal> {
    let said = |purpose: &Purpose| {
        let yes = *preferences.get(purpose.segment_category.as_deref()?)?;
        let says = if yes { Signalled::Yes } else { Signalled::No };
        signal(purpose, says, EvidenceKind::SegmentConsent, None)
    };
    strategy.purposes.iter().filter_map(said).collect()
}

/// What a TCF string says, and when it was said.
///
/// # Errors
/// 422 when it cannot be read.
pub fn of_string(strategy: &Strategy, string: &str) -> Result<(Vec<Signal>, Timestamp), Problem> {
    let consents = tcf::Consents::read(string).map_err(|why| Problem::unfit("tcf_string", "tcf", why))?;
    let hash = blake3::hash(string.as_bytes()).to_hex();
    let reference = format!("cmp:{}/list:{}/{}", consents.platform, consents.vendor_list, &hash[..16]);
    let said = |purpose: &Purpose| {
        let says = if consents.allows(purpose.tcf_purpose?) { Signalled::Yes } else { Signalled::No };
        signal(purpose, says, EvidenceKind::TcfString, Some(&reference))
    };
    Ok((strategy.purposes.iter().filter_map(said).collect(), consents.changed_at))
}

fn signal(purpose: &Purpose, says: Signalled, kind: EvidenceKind, reference: Option<&str>) -> Option<Signal> {
    let evidence = Evidence::new(kind, reference).ok()?;
    Some(Signal { purpose: purpose.id.clone(), says, evidence })
}

/// What a door gives back: a verdict, and when it is durable.
type Taken = Result<(Verdict, Ticket), EngineError>;

/// After an item was accepted: also takes in what came with it. What is rejected says nothing.
pub fn taken_with(
    app: &App,
    item: &Item<'_>,
    identifiers: &[Identifier],
    preferences: &BTreeMap<String, bool>,
    said_at: Option<Timestamp>,
    taken: Taken,
) -> Taken {
    let (verdict, ticket) = taken?;
    let published = app.engine.published();
    let mut signals = of_categories(&published.strategy, preferences);
    if item.refuses_sharing {
        signals.extend(of_browser(&published.strategy));
    }
    if verdict != Verdict::Accepted || signals.is_empty() {
        return Ok((verdict, ticket));
    }
    match app.engine.signals(identifiers, &signals, said_at, item.input, item.at)? {
        (Verdict::Accepted, later) => Ok((verdict, later)),
        _ => Ok((verdict, ticket)),
    }
}
