//! Which model answered this decision? An immutable copy of what was learned, named by its content,
//! that can be written, read back and asked the same question years later.
//!
//! Deliberately absent: exposures still waiting, and anyone's identity; those stay in the learner.

use std::sync::Arc;

use serde::Serialize;

use crate::block::View;
use crate::card::{Card, Foresight};
use crate::design::column_scale;
use crate::expert::{Path, TREATMENT};
use crate::features::Features;
use crate::model::Model;
use crate::prediction::{Arms, ModelVersion, Prediction, Predictor};
use crate::scoring;
use crate::serving::Serving;

const FORMAT: u8 = 2;
const DIGEST_BYTES: usize = 32;

/// Why an encoded snapshot could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Shorter than its own header.
    #[error("model snapshot is cut short")]
    CutShort,
    /// Written in a format this build does not know.
    #[error("model snapshot has format {0}, and this build reads format {FORMAT}")]
    UnknownFormat(u8),
    /// The content does not match the digest it carries, or its parts do not fit together.
    #[error("model snapshot is damaged")]
    Damaged,
}

/// How much one expert is believed for an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ExpertShare {
    /// Whether it uses the customer's features, or base rates of actions alone.
    pub context: bool,
    /// Whether it uses products of features, too.
    pub interactions: bool,
    /// How long it remembers; see [`Config::memories`](crate::Config::memories).
    pub memory: f64,
    /// Between 0 and 1; the shares of one outcome sum to 1.
    pub share: f64,
}

/// What a column does to an outcome, over all actions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnWeight {
    /// The feature.
    pub name: Arc<str>,
    /// The word, for a column of a category.
    pub word: Option<Arc<str>>,
    /// Change of the logit per standard deviation (number), from no to yes halved (flag), or when
    /// the word applies (category), believed by the experts that use context.
    pub weight: f64,
    /// How far the weight of one action may be from it: what is not known, and what differs between them.
    pub deviation: f64,
}

/// How well the outcomes of an action on a channel were foreseen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelCard {
    /// `issue/group/action`.
    pub action: Arc<str>,
    /// Over what it was said.
    pub channel: Arc<str>,
    /// Exposures that taught, parts of open windows included.
    pub evidence: f64,
    /// What had been expected, and what came of it.
    pub foresight: Foresight,
}

/// An immutable model.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    model: Model,
    serving: Serving,
    version: ModelVersion,
}

impl Snapshot {
    pub(crate) fn new(model: Model) -> Self {
        let digest = digest(&payload(&model));
        Self::with_digest(model, &digest)
    }

    fn with_digest(model: Model, digest: &[u8; DIGEST_BYTES]) -> Self {
        let mut version = ModelVersion::NONE;
        version.0.copy_from_slice(&digest[..16]);
        let serving = Serving::of(&model);
        Self { model, serving, version }
    }

    /// Format byte, BLAKE3 digest of the rest, content.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let payload = payload(&self.model);
        let mut bytes = Vec::with_capacity(1 + DIGEST_BYTES + payload.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&digest(&payload));
        bytes.extend_from_slice(&payload);
        bytes
    }

    /// Reads what [`Snapshot::encode`] wrote.
    ///
    /// # Errors
    /// When any byte differs from what was written, the format is not known, or the content is none that
    /// a learner can have written, whatever digest it carries.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (&format, rest) = bytes.split_first().ok_or(DecodeError::CutShort)?;
        if format != FORMAT {
            return Err(DecodeError::UnknownFormat(format));
        }
        let (stored, payload) = rest.split_first_chunk::<DIGEST_BYTES>().ok_or(DecodeError::CutShort)?;
        if digest(payload) != *stored {
            return Err(DecodeError::Damaged);
        }
        let model: Model = postcard::from_bytes(payload).map_err(|_| DecodeError::Damaged)?;
        if !model.is_sound() {
            return Err(DecodeError::Damaged);
        }
        Ok(Self::with_digest(model, stored))
    }

    /// Whom to believe about an outcome: how much context is worth shows in the shares of the
    /// experts that use it. Empty for an outcome never learned about.
    #[must_use]
    pub fn expert_shares(&self, outcome: &str) -> Vec<ExpertShare> {
        let Some(model) = self.model.outcomes.get(outcome) else {
            return Vec::new();
        };
        let mixture = &model.acting;
        let experts = mixture.experts.iter().zip(mixture.shares);
        experts
            .map(|(expert, share)| ExpertShare {
                context: expert.view != View::Intercept,
                interactions: expert.view == View::Pairs,
                memory: expert.memory,
                share,
            })
            .collect()
    }

    /// The outcomes learned about.
    pub fn outcomes(&self) -> impl Iterator<Item = &str> {
        self.model.outcomes.keys().map(|name| &**name)
    }

    /// One card per action and channel, in their order. Empty for an outcome never learned about.
    #[must_use]
    pub fn cards(&self, outcome: &str) -> Vec<ModelCard> {
        let Some(taught) = self.model.outcomes.get(outcome) else {
            return Vec::new();
        };
        let card = |(action, channel, path): (&Arc<str>, &Arc<str>, Path)| ModelCard {
            action: action.clone(),
            channel: channel.clone(),
            evidence: taught.acting.evidence(TREATMENT, path[TREATMENT]),
            foresight: taught.card(&path).map_or_else(|| Card::default().read(), Card::read),
        };
        self.model.hierarchy.arms().map(card).collect()
    }

    /// All cards of an outcome (or those of one action) in one; `None` for an outcome never learned about.
    #[must_use]
    pub fn foresight(&self, outcome: &str, action: Option<&str>) -> Option<Foresight> {
        let taught = self.model.outcomes.get(outcome)?;
        let arms = self.model.hierarchy.arms();
        let arms = arms.filter(|(known, ..)| action.is_none_or(|action| action == &***known));
        let all = arms.filter_map(|(_, _, path)| taught.card(&path));
        Some(all.fold(Card::default(), |sum, card| sum.and(card)).read())
    }

    /// The weight of each column on an outcome when acting, over all actions (or those of one) by how often
    /// they taught, in order of name. Empty for an outcome never learned about.
    #[must_use]
    pub fn column_weights(&self, outcome: &str, action: Option<&str>) -> Vec<ColumnWeight> {
        let Some(model) = self.model.outcomes.get(outcome) else {
            return Vec::new();
        };
        let mixture = &model.acting;
        let shares = mixture.experts.iter().zip(mixture.shares);
        let believed: Vec<_> = shares.filter(|(expert, _)| expert.view != View::Intercept).collect();
        let total: f64 = believed.iter().map(|(_, share)| share).sum();
        let scale = column_scale(self.model.encoder.features());
        let arms = self.model.hierarchy.arms();
        let paths: Vec<(Path, f64)> = arms
            .filter(|(known, ..)| action.is_none_or(|action| action == &***known))
            .map(|(_, _, path)| (path, mixture.evidence(TREATMENT, path[TREATMENT])))
            .collect();
        let taught: f64 = paths.iter().map(|(_, evidence)| evidence).sum();
        let names = self.model.encoder.names().into_iter();
        names
            .map(|(column, name, word)| {
                let (mut mean, mut square) = (0.0, 0.0);
                for (expert, share) in &believed {
                    for (path, evidence) in &paths {
                        let part = expert.weight(path, column.into(), &self.model.config);
                        let weight = share / total * evidence / taught.max(f64::MIN_POSITIVE);
                        mean += weight * part.mean;
                        square += weight * (part.variance + part.mean * part.mean);
                    }
                }
                let deviation = (square - mean * mean).max(0.0).sqrt();
                ColumnWeight { name, word, weight: mean * scale, deviation: deviation * scale }
            })
            .collect()
    }
}

impl Predictor for Snapshot {
    fn predict(&self, features: &Features, arms: Arms<'_>) -> Vec<Prediction> {
        scoring::predict(&self.model, Some(&self.serving), features, arms)
    }

    fn deviations(&self, features: &Features, arms: Arms<'_>) -> Vec<f32> {
        scoring::deviations(&self.model, features, arms)
    }

    fn version(&self) -> ModelVersion {
        self.version
    }
}

fn payload(model: &Model) -> Vec<u8> {
    postcard::to_stdvec(model).expect("a model holds only plain data, which always encodes")
}

fn digest(payload: &[u8]) -> [u8; DIGEST_BYTES] {
    *blake3::hash(payload).as_bytes()
}
