//! `/v1/me`: what does the customer see of themself, and what can they do about it? In plain words, Dutch or English.
//!
//! Everything that is known is shown, with where it comes from, how sure it is, until when and for what. Decisions are
//! told in the customer's reading, which names only what they gave or can see.

use crate::{
    app::App,
    body,
    explaining::{self, ReadingName},
    problem::{Details, Problem},
    scalar,
    tokens::Caller,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
};
use decision::{
    id::{DecisionId, Language},
    profile::{AttributeValue, Attributes, Source},
    strategy::{Strategy, Texts},
};
use engine::{CUSTOMER_UPDATED, EventReport, NotContested, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as AnyJson;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::{IntoParams, ToSchema};

const BODY_BYTES_MAX: usize = 16 * 1024;
const PAGE_MAX: usize = 50;
const WORDS_CHARACTERS_MAX: usize = 4_000;

/// In which language.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LanguageQuery {
    /// For example `nl`; `Accept-Language`, or the organisation's first, when left out.
    language: Option<String>,
}

/// Which decisions, in which language.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DecisionsQuery {
    /// For example `nl`; `Accept-Language`, or the organisation's first, when left out.
    language: Option<String>,
    /// Decisions that come after this one; from the oldest when left out.
    after: Option<String>,
    /// At most so many, 1 to 50; 20 when left out.
    limit: Option<usize>,
}

/// What is known about me.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// Whether we know you at all.
    known: bool,
    /// What we know.
    facts: Vec<MyFact>,
    /// How often we reached you of late, and what came of it.
    contacts: Vec<MyContact>,
    /// What you allow and refuse, oldest first.
    statements: Vec<MyStatement>,
    /// In words: customers who turned out to be you.
    merges: Vec<String>,
}

/// One thing that is known.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyFact {
    /// Its name, for a correction.
    attribute: String,
    /// In words.
    label: String,
    /// What we think.
    #[schema(value_type = Object)]
    value: AnyJson,
    /// `provided`, `observed`, `derived` or `third_party`.
    #[schema(value_type = String)]
    source: Source,
    /// Where it comes from, in words.
    from: String,
    /// How sure we are now, 0 to 1.
    confidence: f32,
    /// Since when.
    observed_at: String,
    /// Until when we keep it.
    expires_at: String,
    /// For what it may be used, in words.
    purposes: Vec<String>,
    /// It is about your household.
    household: bool,
}

/// One contact.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyContact {
    /// What it was about, in words.
    about: String,
    /// Over which channel, in words.
    channel: String,
    /// When.
    at: String,
    /// The decision behind it.
    decision: String,
}

/// One statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyStatement {
    /// About what: `purpose`, `topic`, `attribute` or `everything`.
    about: &'static str,
    /// Which of them.
    name: Option<String>,
    /// What you said.
    #[schema(value_type = String)]
    status: decision::profile::ConsentStatus,
    /// On which channel; all when `null`.
    channel: Option<String>,
    /// When.
    at: String,
    /// Until when it holds.
    expires_at: Option<String>,
}

/// A page of decisions.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyDecisions {
    /// Oldest first.
    decisions: Vec<MyDecision>,
    /// What to send as `after` for the next page; `null` when this was the last.
    next: Option<String>,
}

/// One decision about me.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyDecision {
    /// Which.
    decision: String,
    /// When.
    at: String,
    /// Why, in words.
    #[schema(value_type = Object)]
    why: AnyJson,
    /// The same as text.
    text: Option<String>,
}

/// What is really so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Which fact, by its name.
    attribute: String,
    /// What it is.
    #[schema(value_type = Object)]
    value: AnyJson,
}

/// A decision that a human should look at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contest {
    /// Which decision about you.
    decision: String,
    /// Which slot of it; the only one in which something was chosen when left out.
    slot: Option<u16>,
    /// Why, in your own words, at most 4,000 characters.
    words: String,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// In words.
    message: String,
}

impl Done {
    /// In words.
    pub fn new(message: &str) -> Self {
        Self { message: message.into() }
    }
}

impl LanguageQuery {
    /// The language asked for.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }
}

/// See what is known about me
#[utoipa::path(
    get, path = "/v1/me", tag = "desk", params(LanguageQuery),
    responses((status = 200, description = "Everything, also when that is nothing", body = Me)),
)]
pub async fn me(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<LanguageQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Me>, Problem> {
    let Query(query) = query.map_err(|_| wrong_query())?;
    let at = (app.clock)();
    let found = app.blocking(move |app| {
        let Some(id) = app.engine.find(&[caller.identifier])? else {
            return Ok(None);
        };
        Ok(Some((app.engine.state(id)?.at(at), app.engine.note_right(id, "access", at)?)))
    });
    let published = app.engine.published();
    let tongue = Tongue::of(&published.strategy, query.language.as_deref(), &headers);
    let Some((state, ticket)) = found.await? else {
        return Ok(Json(Me {
            known: false,
            facts: Vec::new(),
            contacts: Vec::new(),
            statements: Vec::new(),
            merges: Vec::new(),
        }));
    };
    ticket.await?;
    let customer = &state.customer;
    let mut facts = tongue.facts(&customer.profile.attributes, false, at);
    facts.extend(state.household.iter().flat_map(|household| tongue.facts(household, true, at)));
    Ok(Json(Me {
        known: true,
        facts,
        contacts: customer.history.contacts.iter().map(|contact| tongue.contact(contact)).collect(),
        statements: customer.profile.consents.iter().map(statement).collect(),
        merges: state.merges.iter().map(|merge| tongue.merge(merge)).collect(),
    }))
}

/// See which decisions were made about me, and why
#[utoipa::path(
    get, path = "/v1/me/decisions", tag = "desk", params(DecisionsQuery),
    responses((status = 200, description = "A page of decisions, oldest first", body = MyDecisions)),
)]
pub async fn decisions(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<DecisionsQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<MyDecisions>, Problem> {
    let Query(query) = query.map_err(|_| wrong_query())?;
    let limit = query.limit.unwrap_or(20).clamp(1, PAGE_MAX);
    let after: Option<DecisionId> =
        query.after.map(|after| after.parse()).transpose().map_err(|_| wrong_query())?;
    let at = (app.clock)();
    let records = app
        .blocking(move |app| match app.engine.find(&[caller.identifier])? {
            Some(id) => {
                app.engine.note_right(id, "access: decisions", at)?.wait()?;
                app.engine.decisions_after(id, after, limit)
            }
            None => Ok(Vec::new()),
        })
        .await?;
    let language = Tongue::of(&app.engine.published().strategy, query.language.as_deref(), &headers).tag();
    let next = (records.len() == limit).then(|| records.last().map(|record| record.id.to_string())).flatten();
    let mut decisions = Vec::new();
    for record in records {
        let version = record.strategy;
        let published = app.blocking(move |app| app.engine.strategy_at(version)).await?;
        let (decision, at) = (record.id.to_string(), record.at.to_string());
        let told = explaining::tell(published, record, ReadingName::Customer, Some(language.clone())).await?;
        decisions.push(MyDecision { decision, at, why: told.json, text: told.text });
    }
    Ok(Json(MyDecisions { decisions, next }))
}

/// Correct something
///
/// What you say yourself counts rather than what was observed or worked out, from the next decision on.
#[utoipa::path(
    post, path = "/v1/me/corrections", tag = "desk", request_body = Correction,
    responses(
        (status = 200, description = "It is corrected", body = Done),
        (status = 422, description = "There is no such fact, or it cannot be this", body = Details),
    ),
)]
pub async fn corrections(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Done>, Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: Correction = body::parse(&bytes)?;
    let published = app.engine.published();
    let strategy = &published.strategy;
    let unfit = |message: &str| Problem::unfit("correction", "value", message);
    let index = strategy.attribute_index(&asked.attribute);
    let index = index.ok_or_else(|| unfit("we keep nothing of this name"))?;
    let attribute = &strategy.attributes[usize::from(index)];
    let value =
        scalar::from_json(&asked.value).ok_or_else(|| unfit("a value is text, a number, true or false"))?;
    if engine::typed(attribute, value.clone()).is_none() || attribute.means_unknown(&value) {
        return Err(unfit("it cannot be this"));
    }
    let at = (app.clock)();
    let report = EventReport {
        id: format!("correction {} {at}", asked.attribute),
        event: CUSTOMER_UPDATED.into(),
        identifiers: vec![caller.identifier],
        at: None,
        properties: BTreeMap::new(),
        attributes: BTreeMap::from([(asked.attribute, value)]),
        source: Some(Source::Provided),
        household: None,
    };
    let (verdict, ticket) = app.blocking(move |app| app.engine.correct(&report, at)).await?;
    ticket.await?;
    if let Verdict::Rejected { message, .. } = verdict {
        return Err(unfit(&message));
    }
    let tongue = Tongue::of(strategy, None, &headers);
    let message = tongue.say("Dank u. Wij gebruiken dit vanaf nu.", "Thank you. We use this from now on.");
    Ok(Json(Done::new(message)))
}

/// Ask a human to look at a decision
#[utoipa::path(
    post, path = "/v1/me/contest", tag = "desk", request_body = Contest,
    responses(
        (status = 202, description = "A human will look at it", body = Done),
        (status = 404, description = "There is no such decision about you", body = Details),
        (status = 422, description = "It chose several things and no `slot` was named, or it has no such slot", body = Details),
    ),
)]
pub async fn contest(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Done>), Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: Contest = body::parse(&bytes)?;
    let refused = |refused: NotContested| match refused {
        NotContested::NoDecision => Problem::not_found(refused.code(), refused.to_string()),
        NotContested::NoSlot | NotContested::WhichSlot => {
            Problem::unfit(refused.code(), "slot", refused.to_string())
        }
    };
    if asked.words.chars().count() > WORDS_CHARACTERS_MAX {
        let message = format!("say it in at most {WORDS_CHARACTERS_MAX} characters");
        return Err(Problem::unfit("words", "words", message));
    }
    let decision: DecisionId = asked.decision.parse().map_err(|_| refused(NotContested::NoDecision))?;
    let at = (app.clock)();
    let contesting = app.blocking(move |app| match app.engine.find(&[caller.identifier])? {
        Some(id) => app.engine.contest(id, (decision, asked.slot), &asked.words, at),
        None => Ok(Err(NotContested::NoDecision)),
    });
    contesting.await?.map_err(refused)?.await?;
    let published = app.engine.published();
    let tongue = Tongue::of(&published.strategy, None, &headers);
    let message = tongue.say(
        "Dank u. Een medewerker kijkt hiernaar en beslist zelf.",
        "Thank you. One of our people will look at this and decide.",
    );
    Ok((StatusCode::ACCEPTED, Json(Done::new(message))))
}

/// Forget me
///
/// Everything about you goes, on every channel you were known by, and stays away when old data come back.
#[utoipa::path(
    delete, path = "/v1/me", tag = "desk",
    responses((status = 200, description = "What went, and until when models are made anew", body = Object)),
)]
pub async fn forget_me(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<AnyJson>, Problem> {
    let at = (app.clock)();
    let erasing = app.blocking(move |app| app.engine.erase(&[caller.identifier], None, at));
    let (certificate, ticket) = erasing.await?;
    ticket.await?;
    Ok(Json(serde_json::to_value(&certificate).unwrap_or(AnyJson::Null)))
}

/// A statement as its customer sees it.
pub fn statement(statement: &decision::profile::ConsentStatement) -> MyStatement {
    let (about, name) = statement.about.named();
    MyStatement {
        about,
        name: name.map(str::to_owned),
        status: statement.status,
        channel: statement.channel.as_ref().map(ToString::to_string),
        at: statement.at.to_string(),
        expires_at: statement.expires_at.map(|end| end.to_string()),
    }
}

/// The strategy's words in the customer's language.
pub struct Tongue<'s> {
    strategy: &'s Strategy,
    language: Language,
}

impl<'s> Tongue<'s> {
    /// The language asked for, else the first accepted one that the organisation speaks, else its own first.
    pub fn of(strategy: &'s Strategy, asked: Option<&str>, headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|accepted| accepted.to_str().ok());
        let tags =
            accepted.unwrap_or_default().split(',').map(|tag| tag.split(';').next().unwrap_or(tag).trim());
        let spoken = asked.into_iter().chain(tags).find_map(|tag| strategy.spoken(tag));
        Self { strategy, language: spoken.unwrap_or_else(|| strategy.organisation.languages[0].clone()) }
    }

    fn tag(&self) -> String {
        self.language.to_string()
    }

    /// One of two sentences; Dutch for `nl`.
    pub fn say<'t>(&self, dutch: &'t str, english: &'t str) -> &'t str {
        if self.language.as_str().starts_with("nl") { dutch } else { english }
    }

    /// A name of the strategy.
    pub fn pick<'t>(&self, texts: &'t Texts, id: &'t str) -> &'t str {
        texts.get(&self.language).or_else(|| texts.values().next()).map_or(id, String::as_str)
    }

    fn facts(&self, attributes: &Attributes, household: bool, at: Timestamp) -> Vec<MyFact> {
        let kept = attributes.iter().filter(|(_, value)| value.expires_at > at);
        kept.filter_map(|(name, value)| self.fact(name.as_str(), value, household, at)).collect()
    }

    fn fact(&self, name: &str, value: &AttributeValue, household: bool, at: Timestamp) -> Option<MyFact> {
        let attribute = &self.strategy.attributes[usize::from(self.strategy.attribute_index(name)?)];
        let purposes = attribute.purposes.iter().map(|index| {
            let purpose = &self.strategy.purposes[usize::from(*index)];
            self.pick(&purpose.name, purpose.id.as_str()).to_owned()
        });
        Some(MyFact {
            attribute: name.to_owned(),
            label: self.pick(&attribute.label, name).to_owned(),
            value: scalar::to_json(&value.value),
            source: value.source,
            from: self.source(value.source).to_owned(),
            confidence: decision::consent::confidence_now(attribute, value, at),
            observed_at: value.observed_at.to_string(),
            expires_at: value.expires_at.to_string(),
            purposes: purposes.collect(),
            household,
        })
    }

    fn source(&self, source: Source) -> &'static str {
        match source {
            Source::Provided => self.say("dat vertelde u ons zelf", "you told us so yourself"),
            Source::Observed => self.say("dat zagen wij bij ons", "we saw it with us"),
            Source::Derived => self.say("dat leiden wij af", "we infer it"),
            Source::ThirdParty => self.say("dat kregen wij van een ander", "we got it from somebody else"),
        }
    }

    fn contact(&self, contact: &decision::profile::Contact) -> MyContact {
        let action = self.strategy.action_index(contact.action.as_str());
        let about = action.map_or_else(
            || contact.action.to_string(),
            |index| {
                let action = &self.strategy.actions[usize::from(index)];
                self.pick(&action.name, action.id.as_str()).to_owned()
            },
        );
        let channel = self.strategy.channel(contact.channel.as_str());
        let channel =
            channel.map_or(contact.channel.as_str(), |found| self.pick(&found.name, found.id.as_str()));
        MyContact {
            about,
            channel: channel.to_owned(),
            at: contact.at.to_string(),
            decision: contact.decision.to_string(),
        }
    }

    fn merge(&self, merge: &engine::Merge) -> String {
        let at = Timestamp::from_millisecond(merge.at_ms).unwrap_or_default();
        let kinds = merge.kinds.join(", ");
        match self.say("nl", "en") {
            "nl" => format!("Op {at} bleek wie wij kenden van {kinds} u te zijn: {}.", merge.reason),
            _ => format!("On {at} whom we knew by {kinds} turned out to be you: {}.", merge.reason),
        }
    }
}

/// What is wrong with a query of the desk.
pub fn wrong_query() -> Problem {
    let message = "`language` is a language such as `nl`, `after` a decision, `limit` 1 to 50";
    Problem::unfit("wrong_query", "query", message)
}
