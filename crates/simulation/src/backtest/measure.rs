//! How good were the expectations, what would sparing letters have cost, and which attributes carried it?
//!
//! Probabilities are measured on contacts that were really made. Whom they were made with was not ours to
//! choose; what another policy would have been worth is said only where chance chose, see [`super::worth`].

use super::{
    Backtest, Sent,
    drift::{Drift, drift},
    worth::{Worth, worth},
};
use insight::quality::{Observed, Quality};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

const CALIBRATION_BINS: usize = 10;
const CURVE_STEPS: usize = 20;

/// The numbers of a backtest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// What the data are.
    pub name: String,
    /// Customers.
    pub customers: usize,
    /// Occasions.
    pub occasions: usize,
    /// Decisions.
    pub decisions: u64,
    /// In how many something would have been said.
    pub said: u64,
    /// Why not, and how often.
    pub silences: BTreeMap<String, u64>,
    /// Contacts really made for which an expectation was recorded beforehand.
    pub sent: usize,
    /// Contacts really made for which there was none.
    pub not_scorable: u64,
    /// Decisions in a second of deciding, on one thread.
    pub decisions_per_second: f64,
    /// Expectations for the scored contacts.
    pub scored: Quality,
    /// The log-loss of always saying the base rate of the scored contacts.
    pub scored_base_log_loss: f64,
    /// Expectations for all contacts, from the first one on.
    pub all: Quality,
    /// Of the scored contacts, by action.
    pub by_action: BTreeMap<String, Quality>,
    /// Of the scored contacts: made by us too, or spared.
    pub agreement: Agreement,
    /// What sparing the least promising of the scored contacts loses.
    pub curve: Vec<Spared>,
    /// Known attributes, the most useful first.
    pub attributes: Vec<AttributeUse>,
    /// What policies are worth, where chance chose what was really done.
    pub worth: Option<Worth>,
    /// When expectations went wrong.
    pub drift: Drift,
}

/// Contacts really made, as our decisions would have had them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// We would have made them too.
    pub said: usize,
    /// Of these, how many were answered.
    pub said_answered: usize,
    /// We would have stayed silent.
    pub spared: usize,
    /// Of these, how many were answered.
    pub spared_answered: usize,
}

/// One point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spared {
    /// Contacts not made, least promising first.
    pub contacts: usize,
    /// The same as a share, 0 to 1.
    pub share: f64,
    /// Answers among them.
    pub lost: usize,
    /// The same as a share of all answers, 0 to 1.
    pub lost_share: f64,
}

/// What one attribute is good for: how much worse the expectations are with it hidden from the same model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttributeUse {
    /// Its name.
    pub name: String,
    /// Share of the scored contacts for which it was known.
    pub known: f64,
    /// How much the log-loss rises without it, in nats per contact.
    pub log_loss_rise: f64,
    /// How much the AUC falls without it.
    pub auc_fall: f64,
}

/// Measures a backtest.
pub fn measure(backtest: &Backtest) -> Measured {
    let scored: Vec<&Sent> = backtest.sent.iter().filter(|sent| sent.scored).collect();
    let all: Vec<&Sent> = backtest.sent.iter().collect();
    let quality = quality(&scored, |sent| sent.probability);
    let mut by_action: BTreeMap<String, Vec<&Sent>> = BTreeMap::new();
    for sent in &scored {
        by_action.entry(sent.action.as_str().to_owned()).or_default().push(sent);
    }
    let decisions: u64 = backtest.held.iter().map(|held| held.decisions).sum();
    Measured {
        name: backtest.name.clone(),
        customers: backtest.customers,
        occasions: backtest.held.len(),
        decisions,
        said: backtest.held.iter().map(|held| held.said).sum(),
        silences: backtest.silences.clone(),
        sent: backtest.sent.len(),
        not_scorable: backtest.not_scorable,
        decisions_per_second: decisions as f64 / backtest.deciding.as_secs_f64().max(1e-9),
        scored_base_log_loss: entropy(quality.base_rate),
        attributes: attributes(&scored, &quality),
        scored: quality,
        all: self::quality(&all, |sent| sent.probability),
        by_action: by_action
            .iter()
            .map(|(action, sent)| (action.clone(), self::quality(sent, |sent| sent.probability)))
            .collect(),
        agreement: agreement(&scored),
        curve: curve(&scored),
        worth: worth(backtest),
        drift: drift(backtest),
    }
}

fn quality(sent: &[&Sent], estimate: impl Fn(&Sent) -> f64) -> Quality {
    let observed: Vec<Observed> =
        sent.iter().map(|sent| Observed { probability: estimate(sent), happened: sent.answered }).collect();
    Quality::of(&observed, CALIBRATION_BINS)
}

/// `−p ln p − (1 − p) ln (1 − p)`: the log-loss of always saying `p`.
pub(super) fn entropy(share: f64) -> f64 {
    let parts = [share, 1.0 - share].into_iter().filter(|part| *part > 0.0);
    parts.fold(0.0, |sum, part| sum - part * libm::log(part))
}

fn attributes(scored: &[&Sent], whole: &Quality) -> Vec<AttributeUse> {
    let names: BTreeSet<&String> = scored.iter().flat_map(|sent| sent.hidden.keys()).collect();
    let mut uses: Vec<AttributeUse> = names
        .into_iter()
        .map(|name| {
            let known = scored.iter().filter(|sent| sent.hidden.contains_key(name)).count();
            let without = quality(scored, |sent| *sent.hidden.get(name).unwrap_or(&sent.probability));
            AttributeUse {
                name: name.clone(),
                known: known as f64 / scored.len() as f64,
                log_loss_rise: without.log_loss - whole.log_loss,
                auc_fall: whole.auc.unwrap_or(0.5) - without.auc.unwrap_or(0.5),
            }
        })
        .collect();
    uses.sort_by(|one, other| other.log_loss_rise.total_cmp(&one.log_loss_rise));
    uses
}

fn agreement(scored: &[&Sent]) -> Agreement {
    let mut agreement = Agreement::default();
    for sent in scored {
        let answered = usize::from(sent.answered);
        if sent.said {
            agreement.said += 1;
            agreement.said_answered += answered;
        } else {
            agreement.spared += 1;
            agreement.spared_answered += answered;
        }
    }
    agreement
}

fn curve(scored: &[&Sent]) -> Vec<Spared> {
    let mut least_first = scored.to_vec();
    least_first.sort_by(|one, other| one.probability.total_cmp(&other.probability));
    let answers = scored.iter().filter(|sent| sent.answered).count();
    (0..=CURVE_STEPS)
        .map(|step| {
            let contacts = scored.len() * step / CURVE_STEPS;
            let lost = least_first[..contacts].iter().filter(|sent| sent.answered).count();
            Spared {
                contacts,
                share: contacts as f64 / scored.len().max(1) as f64,
                lost,
                lost_share: lost as f64 / answers.max(1) as f64,
            }
        })
        .collect()
}
