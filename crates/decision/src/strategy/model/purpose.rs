//! A use of data: its ground, its texts, and what was assessed.

use super::Texts;
use crate::{
    Duration, Timestamp,
    id::{ChannelId, PurposeId},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// GDPR article 6(1), (a) to (f).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// (a) The customer said yes.
    Consent,
    /// (b) Needed for the contract.
    Contract,
    /// (c) Required by law.
    LegalObligation,
    /// (d) To protect somebody's life.
    VitalInterests,
    /// (e) A task in the public interest.
    PublicTask,
    /// (f) Legitimate interests, unless the customer objects.
    LegitimateInterests,
}

/// The first half of the blake3 hash over what a customer is told about a purpose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TextVersion(pub [u8; 16]);

impl fmt::Display for TextVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
impl fmt::Debug for TextVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// An assessment that somebody made, kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// Where it can be found.
    pub reference: String,
    /// When it was made.
    pub date: Timestamp,
}

/// A use of data.
#[derive(Debug)]
pub struct Purpose {
    /// Id.
    pub id: PurposeId,
    /// Name per language.
    pub name: Texts,
    /// What it means for the customer, per language; empty when nothing more is said.
    pub explanation: Texts,
    /// The version of name and explanation.
    pub text: TextVersion,
    /// A consent has to say which version of the texts it was given to.
    pub needs_text: bool,
    /// How long a consent holds, at most a year.
    pub consent_holds: Duration,
    /// How long data may serve it at most; `None` is as long as each attribute is kept.
    pub retention: Option<Duration>,
    /// The channels it is about; empty means all.
    pub channels: Vec<ChannelId>,
    /// The balance of interests, GDPR article 6(1)(f).
    pub assessment: Option<Reviewed>,
    /// The data protection impact assessment, GDPR article 35.
    pub impact_assessment: Option<Reviewed>,
    /// Who else gets data for it: organisations, or kinds of them.
    pub recipients: Vec<String>,
    /// Categories of data that may never serve it.
    pub forbidden_categories: Vec<String>,
    /// People are profiled systematically for it.
    pub profiling: bool,
    /// The category of a Segment consent object that speaks for it.
    pub segment_category: Option<String>,
    /// The purpose of a TCF string that speaks for it, 1 to 24.
    pub tcf_purpose: Option<u8>,
    /// Lawful basis.
    pub basis: Basis,
    /// Feeds the protection view: protective principles read it, nothing else does.
    pub protective: bool,
    /// Only who checks whether groups are treated alike reads it: no action, rule, text or model does.
    pub audit_only: bool,
    /// Sharing or advertising: `Sec-GPC: 1` counts as an objection.
    pub global_privacy_control: bool,
}

impl Purpose {
    /// A use of data about which nothing else is declared.
    pub fn new(id: &str, basis: Basis) -> Self {
        Self {
            id: id.into(),
            name: Texts::new(),
            explanation: Texts::new(),
            text: crate::strategy::purposes::version(&Texts::new(), &Texts::new()),
            needs_text: false,
            consent_holds: crate::strategy::purposes::CONSENT_HOLDS,
            retention: None,
            channels: Vec::new(),
            assessment: None,
            impact_assessment: None,
            recipients: Vec::new(),
            forbidden_categories: Vec::new(),
            profiling: false,
            segment_category: None,
            tcf_purpose: None,
            basis,
            protective: false,
            audit_only: false,
            global_privacy_control: false,
        }
    }
}
