//! `POST /v1/decide`: what is most relevant to say, do or ask here and now, or is silence better?
//!
//! The answer leaves when its record is durable. When that does not happen in time, each placement gets
//! its neutral default, marked as such: nothing is recorded, reserved or learned from it. A decision
//! that was already queued when time ran out stays recorded; nobody saw it, so its reservation lapses.
//!
//! A question waits for its turn for no more than half of its time. Else, with more questions than the
//! machine carries, each would get its turn just too late, and all work would be for nothing. A tenth of the
//! time is left for the way back: who asks counts until the answer has arrived.

use crate::{
    app::App,
    body, browser,
    explaining::{self, ReadingName},
    identifiers::{self, CustomerRef, Identifiers},
    keys::{KeyInfo, Scope},
    problem::Problem,
    scalar, silence,
    tokens::Caller,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use decision::{
    request::{Asked, Direction, Request},
    strategy::Strategy,
};
use engine::{Ask, Decided, EngineError, Identifier, Said, storage::StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value as AnyJson;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

const BODY_BYTES_MAX: usize = 1_000_000;

/// A question of a channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// Who it is, as far as the channel knows. Nobody known gives a contextual decision.
    customer: Option<CustomerRef>,
    /// Who it is, at the top.
    #[serde(default)]
    #[schema(value_type = Object)]
    identifiers: Identifiers,
    /// Over which channel.
    #[schema(example = "web")]
    channel: String,
    /// Who starts; may be left out when the channel has one direction.
    #[schema(value_type = Option<ConversationDirection>)]
    direction: Option<Direction>,
    /// What to fill, 1 to 32 placements of the channel.
    placements: Vec<PlacementAsked>,
    /// Declared values of this moment.
    #[serde(default)]
    #[schema(value_type = Object)]
    context: BTreeMap<String, AnyJson>,
    /// Language of the texts, for example `nl` or `nl-BE`; the organisation's first when it is not spoken.
    language: Option<String>,
    /// A preview: the same decision, without a trace in history, budgets or learning.
    #[serde(default)]
    dry_run: bool,
    /// Adds the explanation for this reader.
    explain: Option<ReadingName>,
}

/// One place to fill.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacementAsked {
    /// Which.
    #[schema(example = "web_home")]
    placement: String,
    /// How many messages fit; 1 when left out.
    #[serde(default = "one_slot")]
    slots: u16,
}

fn one_slot() -> u16 {
    1
}

/// Who starts the conversation.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes a word in the OpenAPI document")]
pub enum ConversationDirection {
    /// The customer comes to us.
    Inbound,
    /// We go to the customer.
    Outbound,
}

/// What to say.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecideAnswer {
    /// The decision, for outcomes and explanations; `null` for a default.
    decision: Option<String>,
    /// No decision could be made: show the neutral texts.
    default: bool,
    /// Why a default is given: `deadline`, `busy`, `stopped` or `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// For a browser: what its reports about this decision must carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// This was a preview; it is not recorded.
    dry_run: bool,
    /// The strategy version that decided.
    strategy: String,
    /// What fills the slots, in the strategy's placement order.
    slots: Vec<SlotAnswer>,
    /// The explanation, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    explanation: Option<AnyJson>,
    /// The same as text, for readers who are people.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation_text: Option<String>,
}

/// One slot: something said, or silence.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlotAnswer {
    /// Where.
    placement: String,
    /// Number of the slot, for outcomes.
    slot: u16,
    /// What; `null` is silence.
    action: Option<String>,
    /// In which form.
    treatment: Option<String>,
    /// Heading.
    title: Option<String>,
    /// Text; the neutral default when no decision could be made.
    body: Option<String>,
    /// Probability with which this, or silence, was picked; `null` for a default.
    probability: Option<f32>,
    /// The earlier decision whose open contact is shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    reuses: Option<String>,
    /// What was chosen has a legal effect: a human decides first, nothing is said or done until then.
    #[serde(skip_serializing_if = "is_false")]
    awaits_human: bool,
    /// Why nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<Silence>,
}

fn is_false(truth: &bool) -> bool {
    !truth
}

/// Why nothing is said in a slot.
#[derive(Debug, Serialize, ToSchema)]
pub struct Silence {
    /// Stable code: `no_candidates`, `all_dropped`, `worth_more`, `slots_taken` or `chance`.
    code: &'static str,
    /// The step that dropped the last candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'static str>,
    /// The reason in words, in the language of the answer.
    sentence: &'static str,
}

/// Decide what to say, do or ask, or to stay silent
///
/// Always 200 for a question that can be asked. When no decision can be made in time, `default` is true
/// and each placement has its neutral text.
#[utoipa::path(
    post, path = "/v1/decide", tag = "channels", request_body = DecideRequest,
    responses((status = 200, description = "The decision, or the marked neutral default", body = DecideAnswer)),
)]
pub async fn decide(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    Extension(caller): Extension<Option<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<DecideAnswer>, Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let refuses_sharing = body::refuses_sharing(&headers);
    let asker = match key.is_browser() {
        true => Asker::Browser { key: key.prefix, caller },
        false => Asker::Channel { may_read: key.allows(&[Scope::Read]) },
    };
    answer_to(&app, &bytes, refuses_sharing, asker).await.map(Json)
}

/// Answers a question that came as JSON.
///
/// `refuses_sharing`: the browser sent `Sec-GPC: 1`. `may_read`: the caller may read what employees and
/// auditors read.
///
/// # Errors
/// The question cannot be read, or names what the strategy does not have.
pub async fn answer(
    app: &Arc<App>,
    bytes: &[u8],
    refuses_sharing: bool,
    may_read: bool,
) -> Result<DecideAnswer, Problem> {
    answer_to(app, bytes, refuses_sharing, Asker::Channel { may_read }).await
}

/// Who asks.
enum Asker {
    /// A channel of the organisation.
    Channel { may_read: bool },
    /// A page, and the customer whose token came along.
    Browser { key: String, caller: Option<Caller> },
}

async fn answer_to(
    app: &Arc<App>,
    bytes: &[u8],
    refuses_sharing: bool,
    asker: Asker,
) -> Result<DecideAnswer, Problem> {
    let time = Time::from_now(app.settings.decide_within);
    let asked: DecideRequest = body::parse(bytes)?;
    let reading = asked.explain;
    let may_explain = match asker {
        Asker::Channel { may_read } => may_read || reading == Some(ReadingName::Customer),
        Asker::Browser { .. } => false,
    };
    if reading.is_some() && !may_explain {
        let message = "this reading is for employees and auditors; it needs a key with the scope `read`";
        return Err(Problem::new(StatusCode::FORBIDDEN, "scope_missing", message));
    }
    let language = asked.language.clone();
    let published = app.engine.published();
    let mut ask = accept(asked, refuses_sharing, &published.strategy)?;
    let (mut token_for, mut teaches) = (None, true);
    if let Asker::Browser { key, caller } = asker {
        let whom = browser::speaks_for(app, caller.as_ref(), std::mem::take(&mut ask.identifiers))?;
        token_for = Some(whom.clone());
        teaches = browser::teaches(app, &key, caller.as_ref(), &ask.request);
        ask.identifiers = app.blocking(move |app| browser::decides_for(app, caller.as_ref(), whom)).await?;
    }
    let request = ask.request.clone();
    let answer = match decided(app, ask, teaches, time).await {
        Ok(decided) => {
            let mut answer = DecideAnswer::of(&decided, &request);
            if let Some(reading) = reading {
                let told = explaining::tell(decided.published, decided.decision, reading, language).await?;
                answer.explanation = Some(told.json);
                answer.explanation_text = told.text;
            }
            answer
        }
        Err(reason) => DecideAnswer::default_of(&published.strategy, &request, reason),
    };
    app.telemetry.decision(answer.kind());
    Ok(match token_for {
        Some(whom) => answer.for_browser(app, &whom, teaches),
        None => answer,
    })
}

fn accept(asked: DecideRequest, refuses_sharing: bool, strategy: &Strategy) -> Result<Ask, Problem> {
    let identifiers = identifiers::read(asked.customer, asked.identifiers)?;
    let question = Asked {
        channel: asked.channel,
        direction: asked.direction,
        placements: asked.placements.into_iter().map(|place| (place.placement, place.slots)).collect(),
        context: scalar::known("context", &asked.context)?,
        language: asked.language,
        global_privacy_control: refuses_sharing,
        dry_run: asked.dry_run,
    };
    let request = strategy.accept(&question).map_err(Problem::not_accepted)?;
    Ok(Ask { identifiers, request, adjustments: Vec::new() })
}

/// Until when a question is worth working on.
#[derive(Clone, Copy)]
struct Time {
    turn_by: Instant,
    answer_by: Instant,
}

impl Time {
    fn from_now(within: Duration) -> Self {
        let arrived = Instant::now();
        Self { turn_by: arrived + within / 2, answer_by: arrived + within - within / 10 }
    }
}

/// A decision that is durable, or why there is none.
async fn decided(app: &Arc<App>, ask: Ask, teaches: bool, time: Time) -> Result<Decided, &'static str> {
    let worker = app.clone();
    let mut asking = app.turns_to_decide.ask(move |wanted| {
        match worker.engine.decide_while(&ask, (worker.clock)(), (worker.seeds)(), teaches, wanted) {
            Ok(decided) => decided.ok_or("deadline"),
            Err(error) => Err(reason(&error)),
        }
    });
    let ended = match timeout_at(time.turn_by, &mut asking).await {
        Ok(ended) => ended,
        Err(_) if asking.leaves() => Err("busy"),
        Err(_) => timeout_at(time.answer_by, asking).await.unwrap_or(Err("deadline")),
    };
    let mut decided = ended?;
    match decided.ticket.take() {
        None => Ok(decided),
        Some(ticket) => ticket.await.map(|()| decided).map_err(|error| reason(&error.into())),
    }
}

fn reason(error: &EngineError) -> &'static str {
    match error {
        EngineError::Store(StoreError::Busy | StoreError::Stalled { .. } | StoreError::Conflict { .. }) => {
            "busy"
        }
        EngineError::Store(StoreError::Stopped { .. }) => "stopped",
        other => {
            tracing::error!(error = %other, "no decision could be made");
            "failed"
        }
    }
}

impl DecideAnswer {
    fn of(decided: &Decided, request: &Request) -> Self {
        let strategy = &decided.published.strategy;
        let language = decision::decide::language(strategy, request);
        let slot = |said: &Said| SlotAnswer {
            placement: said.placement.to_string(),
            slot: said.slot,
            action: said.action.as_ref().map(ToString::to_string),
            treatment: said.treatment.as_ref().map(ToString::to_string),
            title: said.title.clone(),
            body: said.body.clone(),
            probability: Some(said.probability),
            reuses: said.reuses.map(|id| id.to_string()),
            awaits_human: said.awaits_human,
            silence: said.silence_reason.map(|reason| Silence {
                code: silence::code(reason),
                step: silence::step(reason),
                sentence: silence::sentence(reason, language.as_str()),
            }),
        };
        Self {
            decision: Some(decided.answer.decision.to_string()),
            default: false,
            reason: None,
            token: None,
            dry_run: request.dry_run,
            strategy: strategy.version.to_string(),
            slots: decided.answer.slots.iter().map(slot).collect(),
            explanation: None,
            explanation_text: None,
        }
    }

    fn default_of(strategy: &Strategy, request: &Request, reason: &'static str) -> Self {
        let neutral = |index: usize, id: &str| SlotAnswer {
            placement: id.to_owned(),
            slot: u16::try_from(index).unwrap_or(u16::MAX),
            action: None,
            treatment: None,
            title: None,
            body: strategy.placement(id).map(|placement| placement.neutral_default.clone()),
            probability: None,
            reuses: None,
            awaits_human: false,
            silence: None,
        };
        let placements = request.placements.iter().enumerate();
        Self {
            decision: None,
            default: true,
            reason: Some(reason),
            token: None,
            dry_run: request.dry_run,
            strategy: strategy.version.to_string(),
            slots: placements.map(|(index, place)| neutral(index, place.placement.as_str())).collect(),
            explanation: None,
            explanation_text: None,
        }
    }

    /// Without what would tell whether somebody is known, and with the token for reports.
    fn for_browser(mut self, app: &App, whom: &[Identifier], teaches: bool) -> Self {
        for slot in &mut self.slots {
            (slot.probability, slot.reuses, slot.silence) = (None, None, None);
        }
        self.token = self.decision.as_deref().map(|decision| browser::token(app, decision, whom, teaches));
        self
    }

    fn kind(&self) -> &'static str {
        match self {
            Self { default: true, .. } => "default",
            Self { dry_run: true, .. } => "dry_run",
            answer if answer.slots.iter().all(|slot| slot.action.is_none()) => "silent",
            _ => "said",
        }
    }
}
