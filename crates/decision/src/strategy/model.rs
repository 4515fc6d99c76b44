//! The compiled strategy: plain data, indexed, with every rule typed.

use super::{forms::Forms, integrity::Claim, purchases::Purchases, scopes::Scopes};
use crate::{
    Duration, Timestamp,
    id::{
        ActionId, ArmId, AttributeName, ChannelId, ContextName, EventName, ExperimentId, Language,
        OutcomeName, PlacementId, PolicyId, PrincipleId, PurposeId, TreatmentId,
    },
    profile::Source,
    request::Direction,
    rules::{Rule, RuleBook},
    value::{Value, ValueType},
};
use jiff::{civil::Time, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A text per language.
pub type Texts = BTreeMap<Language, String>;
/// Position of an attribute in [`Strategy::attributes`].
pub type AttributeIndex = u16;
/// Position of a context value in [`Strategy::contexts`].
pub type ContextIndex = u16;
/// Position of a purpose in [`Strategy::purposes`].
pub type PurposeIndex = u16;
/// Position of an action in [`Strategy::actions`].
pub type ActionIndex = u16;

/// The first half of the blake3 hash over all files of a strategy, by path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
pub struct StrategyVersion(pub [u8; 16]);

impl fmt::Display for StrategyVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
impl fmt::Debug for StrategyVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The whole set of files at one version, compiled once. Lists are sorted by id.
#[derive(Debug)]
pub struct Strategy {
    /// Which files these are.
    pub version: StrategyVersion,
    /// The organisation as a whole.
    pub organisation: Organisation,
    /// For which uses data may serve.
    pub purposes: Vec<Purpose>,
    /// Channels.
    pub channels: Vec<Channel>,
    /// Placements, in filling order.
    pub placements: Vec<Placement>,
    /// Declared request values.
    pub contexts: Vec<Context>,
    /// Declared facts.
    pub attributes: Vec<Attribute>,
    /// Declared events.
    pub events: Vec<Event>,
    /// Kinds of identifiers by name, the usual ones too.
    pub identifiers: BTreeMap<String, IdentifierKind>,
    /// What a purchase is and leaves behind.
    pub purchases: Option<Purchases>,
    /// Principles, in their order.
    pub principles: Vec<Principle>,
    /// Experiments, by id.
    pub experiments: Vec<Experiment>,
    /// Limits and pauses.
    pub contact_policy: ContactPolicy,
    /// Dated permissions per channel.
    pub permissions: Vec<Permission>,
    /// The catalogue.
    pub actions: Vec<Action>,
    /// Where and how each action can be said.
    pub forms: Forms,
    /// What concerns each action.
    pub scopes: Scopes,
    /// All allow rules of all actions, compiled together.
    pub rule_book: RuleBook,
}

/// What holds for the whole organisation.
#[derive(Debug)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// Where questions about personal data go: an address, a telephone number or a page.
    pub contact: Option<String>,
    /// How the data protection officer is reached, where there is one.
    pub data_protection_officer: Option<String>,
    /// Where days begin and end.
    pub time_zone: TimeZone,
    /// Languages of the texts, the default first.
    pub languages: Vec<Language>,
    /// How the two ledgers are weighed, decided by the board.
    pub weights: Weights,
    /// Least expected value for the customer of anything said, in euro.
    pub customer_floor: f64,
    /// The same for a vulnerable customer; at least `customer_floor`.
    pub customer_floor_vulnerable: f64,
    /// When a customer is vulnerable: read in the protection view; unknown counts as vulnerable.
    pub vulnerable: Option<Rule>,
    /// What is offered is meant for people under age.
    pub directed_at_minors: bool,
    /// When a customer is known to be under age: read in the protection view; unknown counts as grown up.
    pub minor_when: Option<Rule>,
    /// Least confidence at which a value is read, 0 to 1.
    pub confidence_floor: f32,
    /// Exploration.
    pub exploration: Exploration,
    /// What a recent contact costs in attention.
    pub attention: Attention,
    /// How many coming decisions the answer to a question is expected to serve, 0 or more.
    pub decisions_ahead: f64,
    /// Control groups.
    pub control: Control,
    /// How much of what is not known of a protected attribute a fact that decisions read may tell, 0 to 1; more, and
    /// it is a proxy.
    pub proxy_threshold: f64,
    /// Levers per issue or group path; the action's own lever is in [`Action::lever`].
    pub levers: BTreeMap<String, f64>,
    /// Outcomes besides the goal, mostly negative.
    pub outcomes: Vec<SideOutcome>,
}

/// Weights of the two ledgers; both at least 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of a euro for the customer.
    pub customer: f64,
    /// Of a euro for the organisation.
    pub organisation: f64,
}

/// How much is tried to learn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exploration {
    /// Probability spread evenly over contenders, 0 to 0.5.
    pub floor: f64,
    /// Over at most this many contenders.
    pub contenders: usize,
    /// Exposures after which an action may be picked as often as it looks best; before, its probability is held
    /// back while a known action is worth saying; at least 1.
    pub ramp: u32,
    /// Expected value that may be given up for it, as a part of what the most promising contender may be
    /// worth, 0 to 1.
    pub budget: f64,
}

/// The attention of a customer: each counted or reserved contact in the window makes the next one cost more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attention {
    /// Euro per contact in the window.
    pub fatigue: f64,
    /// The window.
    pub within: Duration,
}

/// Control groups: stable per customer within a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Share of customers who get silence, 0 to 0.5.
    pub silence_share: f64,
    /// Share of customers who get chance among what is relevant, 0 to 0.5.
    pub random_share: f64,
    /// Share of customers who get what the strategy of before gives, 0 to 0.5.
    pub today_share: f64,
    /// The variant that is the strategy of before; `None` when nobody gets it.
    pub today: Option<String>,
    /// Length of a period.
    pub period: Duration,
    /// How long after their first decision of a period customers are looked at.
    pub within: Duration,
    /// Smallest difference per customer that matters, in euro.
    pub minimum_effect: f64,
    /// Scopes of actions that are never withheld to measure something, besides service and mandatory.
    pub spares: Vec<String>,
}

/// A comparison of arms, with the customer as the unit.
#[derive(Debug)]
pub struct Experiment {
    /// Id.
    pub id: ExperimentId,
    /// Name per language.
    pub name: Texts,
    /// What it is to find out, and for whose good, per language.
    pub intent: Texts,
    /// Who answers for it.
    pub owner: String,
    /// From when.
    pub from: Timestamp,
    /// Until when, exclusive; `None` is until it is removed.
    pub until: Option<Timestamp>,
    /// What is compared.
    pub metric: Metric,
    /// Smallest difference per customer that matters, above 0, in the unit of the metric.
    pub minimum_effect: f64,
    /// What may hardly get worse meanwhile.
    pub guards: Vec<Guard>,
    /// The arms, the one that the others are compared with first.
    pub arms: Vec<Arm>,
}

/// What is compared per customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Whether this happened, 0 or 1; `None` is the value of both ledgers in euro.
    pub outcome: Option<OutcomeName>,
    /// How long after their first decision in the experiment customers are looked at.
    pub within: Duration,
    /// A lower mean is the better one.
    pub less_is_better: bool,
}

/// What may hardly get worse.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// For example `complaint`.
    pub outcome: OutcomeName,
    /// Largest rise that is borne, as a share of customers, 0 to 1.
    pub worse_by_at_most: f64,
}

/// One arm: what is different for the customers in it.
#[derive(Debug)]
pub struct Arm {
    /// Id.
    pub id: ArmId,
    /// Share of all customers, above 0 and at most 1.
    pub share: f64,
    /// Actions left out.
    pub without: BTreeSet<ActionIndex>,
    /// Forms left out: action, and position of the treatment within it.
    pub without_forms: BTreeSet<(ActionIndex, u16)>,
    /// Levers of issues, groups and actions, instead of the declared ones.
    pub levers: BTreeMap<String, f64>,
    /// Weights of weighing principles by position, instead of the declared ones.
    pub weights: BTreeMap<u16, f64>,
    /// The variant of the strategy that decides.
    pub variant: Option<String>,
}

/// An outcome besides the goal, expected of every action.
#[derive(Debug)]
pub struct SideOutcome {
    /// For example `complaint`.
    pub outcome: OutcomeName,
    /// The event that is this outcome.
    pub event: EventName,
    /// Within which time after the contact.
    pub within: Duration,
    /// Value for the customer in euro, mostly negative.
    pub value_for_customer: f64,
    /// Value for the organisation in euro, mostly negative.
    pub value_for_organisation: f64,
    /// Base rate to start from, in (0, 1).
    pub prior: f64,
    /// Whether it is a sign that comes before the goal, from which the goal can be foreseen.
    pub early: bool,
}

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

/// A channel.
#[derive(Debug)]
pub struct Channel {
    /// Id.
    pub id: ChannelId,
    /// Name per language.
    pub name: Texts,
    /// Which directions exist.
    pub directions: Vec<Direction>,
    /// What one contact costs, in euro.
    pub contact_cost: f64,
    /// From which report on a contact counts and its outcomes are awaited.
    pub counts_on: ContactReport,
    /// How long a decision reserves attention before it is reported.
    pub reservation: Duration,
    /// When an outbound contact may not happen, in the organisation's time zone; may pass midnight.
    pub quiet_hours: Option<(Time, Time)>,
}

/// Reports about a contact, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactReport {
    /// The decision itself.
    Decided,
    /// It reached the customer's device or letterbox.
    Delivered,
    /// It was on the screen, or was said.
    Displayed,
}

/// A place where something can be said.
#[derive(Debug)]
pub struct Placement {
    /// Id.
    pub id: PlacementId,
    /// On which channel.
    pub channel: ChannelId,
    /// Name per language.
    pub name: Texts,
    /// Most slots a request may ask for.
    pub slots: u16,
    /// It is meant for people under age.
    pub directed_at_minors: bool,
    /// Shown when no decision can be made in time.
    pub neutral_default: String,
}

/// A declared request value.
#[derive(Debug)]
pub struct Context {
    /// Name.
    pub name: ContextName,
    /// Type.
    pub value_type: ValueType,
    /// Closed list of texts; empty means any.
    pub values: Vec<String>,
    /// Models may use it.
    pub learn: bool,
}

/// Whose fact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// One person.
    Customer,
    /// A group of persons.
    Household,
}

/// How careful one must be with a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Ordinary.
    Ordinary,
    /// Tells of money trouble; may only restrict or switch to care.
    FinancialDistress,
    /// Special category, GDPR article 9: visible only with explicit consent.
    Special,
}

/// A declared fact.
#[derive(Debug)]
pub struct Attribute {
    /// Name.
    pub name: AttributeName,
    /// Whose.
    pub subject: Subject,
    /// Name per language, as a customer would say it.
    pub label: Texts,
    /// Type.
    pub value_type: ValueType,
    /// Closed list of texts; empty means any.
    pub values: Vec<String>,
    /// Texts and numbers that mean "unknown" and become missing.
    pub treat_as_unknown: Vec<Value>,
    /// Uses it may serve.
    pub purposes: Vec<PurposeIndex>,
    /// Where values normally come from.
    pub source: Source,
    /// Confidence of a value that arrives without one, 0 to 1.
    pub confidence: f32,
    /// Time after which confidence has halved.
    pub half_life: Option<Duration>,
    /// How long a value is kept and read.
    pub retention: Duration,
    /// Sensitivity.
    pub sensitivity: Sensitivity,
    /// W3C Data Privacy Vocabulary id, see [`super::category`].
    pub category: Option<String>,
    /// Why it is kept for more than a year.
    pub retention_reason: Option<String>,
    /// Numbers outside of this range mean that nothing is known.
    pub plausible: (Option<f64>, Option<f64>),
    /// Moments before this mean that nothing is known.
    pub implausible_before: Option<Timestamp>,
    /// What a value costs to get, in euro.
    pub cost: f64,
    /// The cheapest way to get it.
    pub obtain: Option<Obtain>,
    /// The customer can see it with us, for example on a bill.
    pub shown: bool,
    /// The special category that it would give away.
    pub proxy_for: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Models may use it.
    pub learn: bool,
}

/// What an identifier points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identifies {
    /// One person, for example a user or an e-mail address.
    Person,
    /// A device or browser, which several persons may share; says who it is until one of them is known.
    Device,
    /// A group of persons, for example a contract of a household; never says which of them it is.
    Account,
}

/// A kind of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentifierKind {
    /// What it points to.
    pub identifies: Identifies,
    /// How many a person may have, at least 1. The fewer, the better it tells persons apart.
    pub at_most: u32,
}

/// How a missing value is got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obtain {
    /// Ask the customer.
    Ask,
    /// See it on our own channels.
    Observe,
    /// Take it from a system that has it.
    Import,
}

impl Purpose {
    /// A use of data about which nothing else is declared.
    pub fn new(id: &str, basis: Basis) -> Self {
        Self {
            id: id.into(),
            name: Texts::new(),
            explanation: Texts::new(),
            text: super::purposes::version(&Texts::new(), &Texts::new()),
            needs_text: false,
            consent_holds: super::purposes::CONSENT_HOLDS,
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

impl Attribute {
    /// An observed fact about a customer about which nothing else is declared.
    pub fn new(name: &str, value_type: ValueType, purposes: Vec<PurposeIndex>) -> Self {
        Self {
            name: name.into(),
            subject: Subject::Customer,
            label: Texts::new(),
            value_type,
            values: Vec::new(),
            treat_as_unknown: Vec::new(),
            purposes,
            source: Source::Observed,
            confidence: 0.9,
            half_life: None,
            retention: Duration::from_hours(24 * 365),
            retention_reason: None,
            sensitivity: Sensitivity::Ordinary,
            category: None,
            plausible: (None, None),
            implausible_before: None,
            cost: 0.0,
            obtain: None,
            shown: false,
            proxy_for: None,
            owner: String::new(),
            learn: true,
        }
    }

    /// Whether this value only says that nothing is known: one of the declared dirty ones, or beyond what is
    /// plausible.
    pub fn means_unknown(&self, value: &Value) -> bool {
        let dirty = self.treat_as_unknown.iter().any(|dirty| match (dirty, value) {
            (Value::Text(dirty), Value::Text(text)) => dirty.trim().eq_ignore_ascii_case(text.trim()),
            _ => dirty == value,
        });
        let (least, most) = self.plausible;
        dirty
            || match value {
                Value::Number(number) => {
                    least.is_some_and(|least| *number < least) || most.is_some_and(|most| *number > most)
                }
                Value::Time(at) => self.implausible_before.is_some_and(|first| *at < first),
                _ => false,
            }
    }
}

/// A declared event.
#[derive(Debug)]
pub struct Event {
    /// Name.
    pub name: EventName,
    /// Declared properties.
    pub properties: BTreeMap<String, ValueType>,
    /// Attributes it sets.
    pub sets: Vec<(AttributeIndex, Setting)>,
    /// Outcome it is for the relation as a whole, for example `complaint` or `complaint_resolved`.
    pub outcome: Option<OutcomeName>,
}

/// What an event sets an attribute to.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// This value.
    Literal(Value),
    /// The value of this property.
    Property(String),
    /// The moment of the event.
    Moment,
    /// Nothing: the value is removed.
    Clear,
}

/// An organisation-wide rule.
#[derive(Debug)]
pub struct Principle {
    /// Id.
    pub id: PrincipleId,
    /// Who answers for it.
    pub owner: String,
    /// Why, per language, as one would tell a customer.
    pub reason: Texts,
    /// Scopes of actions it is about; empty means all.
    pub applies_to: Vec<String>,
    /// What it does.
    pub kind: PrincipleKind,
}

/// What a principle does.
#[derive(Debug)]
pub enum PrincipleKind {
    /// Drops when true; reads the protection view.
    Veto {
        /// When.
        when: Rule,
        /// Whether not knowing vetoes too.
        when_unknown: WhenUnknown,
    },
    /// Drops unless true; reads the protection view.
    Require {
        /// What must hold.
        condition: Rule,
        /// Whether not knowing vetoes too.
        when_unknown: WhenUnknown,
    },
    /// Adds to the context weight when true; reads the action's permitted view; unknown adds nothing.
    Weigh {
        /// When.
        when: Rule,
        /// Added to 1; the sum over all principles stays above -1.
        weight: f64,
    },
}

/// What not knowing means for a veto or requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenUnknown {
    /// Better not.
    Veto,
    /// As if it did not hold.
    Pass,
}

/// Limits and pauses.
#[derive(Debug, Default)]
pub struct ContactPolicy {
    /// Limits, in the order of their file.
    pub limits: Vec<Limit>,
    /// Pauses, in the order of their file.
    pub pauses: Vec<Pause>,
    /// Scopes that are silent from a `complaint` until `complaint_resolved`.
    pub complaint_silences: Vec<String>,
    /// Inbound contacts take from the same budget as outbound ones.
    pub inbound_counts: bool,
}

/// Over which contacts a limit or pause counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyScope {
    /// All contacts together.
    All,
    /// Per channel.
    Channel,
    /// Per action.
    Action,
    /// Per group.
    Group,
    /// Per issue.
    Issue,
}

/// At most so many contacts in an exact rolling window.
#[derive(Debug)]
pub struct Limit {
    /// Id.
    pub id: PolicyId,
    /// Counted per what.
    pub per: PolicyScope,
    /// Only these channels; empty means all.
    pub channels: Vec<ChannelId>,
    /// Only actions in these scopes; empty means all.
    pub applies_to: Vec<String>,
    /// Most contacts in the window.
    pub at_most: u32,
    /// The window: a contact counts while `at > now - within`.
    pub within: Duration,
}

/// After so many outcomes, be silent for a while.
#[derive(Debug)]
pub struct Pause {
    /// Id.
    pub id: PolicyId,
    /// Which outcome.
    pub outcome: OutcomeName,
    /// How many of them…
    pub times: u32,
    /// …in this window.
    pub within: Duration,
    /// Silent per what.
    pub per: PolicyScope,
    /// Only actions in these scopes; empty means all.
    pub applies_to: Vec<String>,
    /// For how long after the last of them.
    pub pause_for: Duration,
}

/// From a date on, a channel may be used for some actions only with a purpose's basis.
#[derive(Debug)]
pub struct Permission {
    /// Which channel.
    pub channel: ChannelId,
    /// In which direction.
    pub direction: Direction,
    /// Scopes of actions; empty means all.
    pub applies_to: Vec<String>,
    /// From when on.
    pub from: Timestamp,
    /// The purpose whose basis must hold.
    pub needs: PurposeIndex,
    /// Where this comes from, for people.
    pub reason: String,
}

/// How an action is treated by limits and arbitration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Required by law or for safety.
    Mandatory,
    /// Needed to serve the customer.
    Service,
    /// Everything else.
    Normal,
}

/// What we could say, do or ask.
#[derive(Debug)]
pub struct Action {
    /// Path.
    pub id: ActionId,
    /// Name per language.
    pub name: Texts,
    /// Whose interest it serves and how, per language.
    pub intent: Texts,
    /// Who answers for it.
    pub owner: String,
    /// Who decided it may exist.
    pub mandate: String,
    /// For which purpose data is used.
    pub purpose: PurposeIndex,
    /// Class.
    pub class: Class,
    /// It has a legal effect on the customer or is as serious: it never runs by itself, a human decides (GDPR
    /// article 22).
    pub legal_effect: bool,
    /// No exploration over silence.
    pub sensitive: bool,
    /// Never withheld to measure something: service, mandatory, and what the organisation spares.
    pub spared: bool,
    /// From when.
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusive.
    pub valid_until: Option<Timestamp>,
    /// How often it may be said in total.
    pub volume: Option<u64>,
    /// What is hoped for.
    pub goal: Goal,
    /// Value of the goal for the customer, in euro.
    pub value_for_customer: Rule,
    /// Value of the goal for the organisation, in euro.
    pub value_for_organisation: Rule,
    /// Base rate of the goal to start from, in (0, 1).
    pub prior: f64,
    /// Lever, added to 1 with those of issue and group.
    pub lever: f64,
    /// Forms, in the order of the file.
    pub treatments: Vec<Treatment>,
}

impl Action {
    /// Whether its goal is an answer.
    pub fn is_question(&self) -> bool {
        !matches!(self.goal.target, GoalTarget::Event(_))
    }
}

/// What is hoped for.
#[derive(Debug)]
pub struct Goal {
    /// The event, or the provision of an attribute.
    pub target: GoalTarget,
    /// Within which time after the contact.
    pub within: Duration,
    /// How long the need is met once the goal is reached, and how long a question is not put again.
    pub closed_for: Duration,
    /// The answers to a question with how likely each is expected to be, together 1; empty: all alike.
    pub answers: Vec<(Value, f64)>,
}

/// What reaches a goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoalTarget {
    /// An event.
    Event(EventName),
    /// A question: the customer provided this attribute.
    Attribute(AttributeIndex),
    /// A question: the customer gave consent for this purpose.
    Consent(PurposeIndex),
}

/// One form of an action.
#[derive(Debug)]
pub struct Treatment {
    /// Id, unique within the action.
    pub id: TreatmentId,
    /// Placement.
    pub placement: PlacementId,
    /// Cost of this form in euro, instead of the channel's.
    pub contact_cost: Option<f64>,
    /// What makes it true that it presses the customer, when it does.
    pub claim: Option<Claim>,
    /// What is said, per language.
    pub content: BTreeMap<Language, Content>,
}

/// What is said, with places for permitted values.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Heading.
    pub title: Template,
    /// Body.
    pub body: Template,
}

/// Text with places for attributes of the customer, written `{attribute}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(pub Vec<TemplatePart>);

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplatePart {
    /// Said as it is.
    Text(String),
    /// The value of an attribute; unknown drops the treatment.
    Attribute(AttributeIndex),
}
