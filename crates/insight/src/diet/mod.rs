//! What is each attribute worth to decisions, and which can go? A learner is taught on part of the customers, with
//! and without an attribute, and the decisions it would make for the others are valued.
//!
//! Everything about a customer is in one fold, and no decision is valued with a model that was taught by the
//! customer it is about. What goes first is chosen on one half of the customers and valued on the other, and the
//! other way round, so that what was lucky in the choosing does not count as value. Deliberately not here: where
//! occasions come from, how decisions are made ([`Study`]), and what anything is worth.

mod elimination;
pub mod mailing;
mod page;

use crate::{
    interval::Interval,
    off_policy::{Estimator, Target},
};
use decision::{profile::Source, strategy::Sensitivity};
use elimination::Weighing;
use learning::{Learner, Predictor, Row};
use serde::Serialize;
use std::{collections::BTreeSet, sync::Arc};

/// A name that is kept many times.
pub type Name = Arc<str>;

/// Where decisions, their outcomes, and another way to make them come from.
pub trait Study: Sync {
    /// Attributes that might go, by name.
    fn attributes(&self) -> Vec<Attribute>;
    /// A learner that has seen nothing.
    fn learner(&self) -> Learner;
    /// What it may be taught by, in order of time.
    fn rows(&self) -> &[Row];
    /// What was done on each occasion, and what came of it.
    fn occasions(&self) -> &[Occasion];
    /// What would be done on one of the occasions by this model, with these attributes unknown.
    fn target(&self, occasion: usize, without: &BTreeSet<Name>, model: &dyn Predictor) -> Target;
    /// How values are estimated from the above.
    fn estimator(&self) -> Estimator;
    /// What is measured, in a few words; told with the figures.
    fn measured_by(&self) -> &'static str;
}

/// An attribute that might go.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attribute {
    /// Its name.
    pub name: Name,
    /// Where it comes from.
    pub source: Source,
    /// How careful one must be with it.
    pub sensitivity: Sensitivity,
    /// What a value costs to get, in euro, as declared.
    pub cost: f64,
    /// How long it is kept, in days.
    pub retention_days: f64,
    /// After how many days a value has become too unreliable to be read; `None` when that never happens.
    pub readable_days: Option<f64>,
    /// Rules, principles and texts that read it.
    pub read_by: Vec<String>,
}

/// One decision of the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occasion {
    /// About whom.
    pub customer: u128,
    /// With which probability what was done was done, above 0 and at most 1.
    pub propensity: f64,
    /// What came of it, in euro.
    pub reward: f64,
    /// What a model, or the known truth, expects of what was done, in euro; 0 without either.
    pub expected: f64,
}

/// How attributes are weighed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Parts that customers are dealt into, at least 2.
    pub folds: usize,
    /// Deals them.
    pub seed: u64,
    /// Largest part of the value that may be lost for a proposal, by the upper end of its interval, 0 to 1.
    pub tolerance: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { folds: 4, seed: 1, tolerance: 0.02 }
    }
}

/// Why nothing was weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotWeighed {
    /// Nothing to drop.
    #[error("there is no attribute to weigh: none is declared that a model or rule may read")]
    NoAttributes,
    /// Nothing to value.
    #[error("there is nothing to weigh by: no decision has a known probability and an outcome yet")]
    NoOccasions,
    /// Everybody would be in one fold.
    #[error("there are too few customers to weigh attributes by: {0}, and at least 100 are needed")]
    FewCustomers(usize),
    /// One fold is none.
    #[error("customers have to be dealt into at least 2 parts")]
    FewFolds,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diet {
    /// What was measured.
    pub measured_by: &'static str,
    /// Occasions that were valued.
    pub occasions: usize,
    /// Value of an occasion with all attributes, in euro.
    pub value: Interval,
    /// Each attribute, what is missed most first.
    pub attributes: Vec<Weighed>,
    /// The value against the number of attributes that are left, most first.
    pub curve: Vec<Point>,
    /// What might be dropped together.
    pub proposal: Dropping,
    /// Largest part of the value that might be lost for it.
    pub tolerance: f64,
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weighed {
    /// It.
    #[serde(flatten)]
    pub attribute: Attribute,
    /// What an occasion is worth less without it, when all others stay, in euro.
    pub lost: Interval,
    /// What to do with it.
    pub advice: Advice,
}

/// What to do with an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Stop collecting it.
    Drop,
    /// Keep it for this many days at most: older values are too unreliable to be read.
    ShortenRetention(f64),
    /// It is inferred or bought, and missed: ask the customer instead.
    Ask,
    /// Leave it as it is.
    Keep,
}

/// The value that is left with a number of attributes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Attributes left.
    pub kept: usize,
    /// Value of an occasion, in euro.
    pub value: Interval,
    /// What it is worth less than with all, in euro.
    pub lost: Interval,
    /// Upper end of that, as a part of the value with all; `None` when that value is not above 0.
    pub lost_share_at_most: Option<f64>,
}

/// Attributes that might go together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dropping {
    /// Which; empty when nothing can go within the tolerance.
    pub attributes: Vec<Name>,
    /// What an occasion is worth less without all of them, in euro.
    pub lost: Interval,
    /// The larger of the upper end of that and the one on the curve, as a part of the value with all.
    pub lost_share_at_most: Option<f64>,
}

/// Weighs all attributes. `progress` hears how many of how many models have been taught.
///
/// # Errors
/// There is nothing to weigh, or nothing to weigh it by.
pub fn weigh(
    study: &dyn Study,
    plan: &Plan,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Diet, NotWeighed> {
    let attributes = study.attributes();
    let customers: BTreeSet<u128> = study.occasions().iter().map(|occasion| occasion.customer).collect();
    match (attributes.len(), study.occasions().len(), customers.len()) {
        (0, _, _) => return Err(NotWeighed::NoAttributes),
        (_, 0, _) => return Err(NotWeighed::NoOccasions),
        (_, _, few @ 0..100) => return Err(NotWeighed::FewCustomers(few)),
        _ if plan.folds < 2 => return Err(NotWeighed::FewFolds),
        _ => {}
    }
    let names: Vec<Name> = attributes.iter().map(|attribute| attribute.name.clone()).collect();
    let mut weighing = Weighing::new(study, *plan, names.len(), progress);
    let lost: Vec<Interval> = names.iter().map(|name| weighing.without(&[name.clone()].into())).collect();
    let (curve, order) = weighing.flatten(&names);
    let fits = |point: &&Point| point.lost_share_at_most.is_some_and(|share| share <= plan.tolerance);
    let kept = curve.iter().filter(fits).map(|point| point.kept).min().unwrap_or(names.len());
    let proposal = weighing.drop(order.into_iter().take(names.len() - kept).collect(), &curve);
    let mut weighed: Vec<Weighed> = attributes
        .into_iter()
        .zip(lost)
        .map(|(attribute, lost)| Weighed {
            advice: advice(&attribute, &lost, proposal.attributes.contains(&attribute.name)),
            attribute,
            lost,
        })
        .collect();
    weighed.sort_by(|one, other| other.lost.mean.total_cmp(&one.lost.mean));
    Ok(Diet {
        measured_by: study.measured_by(),
        occasions: study.occasions().len(),
        value: weighing.value(),
        attributes: weighed,
        curve,
        proposal,
        tolerance: plan.tolerance,
    })
}

fn advice(attribute: &Attribute, lost: &Interval, drops: bool) -> Advice {
    let inferred = matches!(attribute.source, Source::Derived | Source::ThirdParty);
    match attribute.readable_days {
        _ if drops => Advice::Drop,
        _ if inferred && lost.low > 0.0 => Advice::Ask,
        Some(days) if days < attribute.retention_days => Advice::ShortenRetention(days.ceil()),
        _ => Advice::Keep,
    }
}
