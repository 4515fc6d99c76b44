//! `/v1/me/preferences` and `/v1/me/statements`: what does somebody allow, and how do they change it? Also for those
//! who are known by a device only, or came by a link; they see their choices and nothing else.

use crate::{
    app::App,
    body,
    consents::what,
    me::{Done, LanguageQuery, MyStatement, Tongue, statement},
    problem::{Details, Problem},
    scalar,
    tokens::Caller,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
};
use decision::{
    consent,
    profile::{About, ConsentStatus},
    strategy::Basis,
};
use engine::{ConsentReport, Verdict};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const BODY_BYTES_MAX: usize = 16 * 1024;

/// What somebody allows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preferences {
    /// For which uses of data one may choose.
    purposes: Vec<Choice>,
    /// What about one may hear nothing more: issues and groups of actions.
    topics: Vec<String>,
    /// What was said before, oldest first.
    statements: Vec<MyStatement>,
}

/// One use of data.
#[derive(Debug, Serialize, ToSchema)]
pub struct Choice {
    /// Its name, for a statement.
    purpose: String,
    /// In words.
    label: String,
    /// On which ground.
    #[schema(value_type = String)]
    basis: Basis,
    /// Whether it is allowed now, by channel.
    #[schema(value_type = Object)]
    allowed: std::collections::BTreeMap<String, bool>,
}

/// What somebody says about their data.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// About a use of data.
    purpose: Option<String>,
    /// About an issue, a group or an action.
    topic: Option<String>,
    /// About one fact.
    attribute: Option<String>,
    /// About everything: restriction.
    #[serde(default)]
    everything: bool,
    /// On which channel; on every channel when left out.
    channel: Option<String>,
    /// `given`, `refused`, `withdrawn`, `objected`, `restricted` or `lifted`.
    #[schema(value_type = String)]
    status: ConsentStatus,
    /// Until when a pause of a topic holds (RFC 3339).
    until: Option<String>,
}

/// See what I allow
#[utoipa::path(
    get, path = "/v1/me/preferences", tag = "desk", params(LanguageQuery),
    responses((status = 200, description = "The choices there are, and those made", body = Preferences)),
)]
pub async fn preferences(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<LanguageQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Preferences>, Problem> {
    let Query(query) = query.map_err(|_| crate::me::wrong_query())?;
    let at = (app.clock)();
    let reading = app.blocking(move |app| {
        let Some(state) = app.engine.customer(&[caller.identifier])? else { return Ok(None) };
        app.engine.note_right(state.customer.id, "access: preferences", at)?.wait()?;
        Ok(Some(state))
    });
    let said = reading.await?.map(|state| state.customer.profile.consents).unwrap_or_default();
    let published = app.engine.published();
    let strategy = &published.strategy;
    let tongue = Tongue::of(strategy, query.language(), &headers);
    let choice = |purpose: &decision::strategy::Purpose| Choice {
        purpose: purpose.id.to_string(),
        label: tongue.pick(&purpose.name, purpose.id.as_str()).to_owned(),
        basis: purpose.basis,
        allowed: strategy
            .channels
            .iter()
            .map(|channel| {
                let basis = consent::basis(purpose, &said, &channel.id, false, at);
                (channel.id.to_string(), basis.is_ok())
            })
            .collect(),
    };
    let mut topics: Vec<String> =
        strategy.actions.iter().map(|action| action.id.group().to_owned()).collect();
    topics.dedup();
    Ok(Json(Preferences {
        purposes: strategy.purposes.iter().map(choice).collect(),
        topics,
        statements: said.iter().map(statement).collect(),
    }))
}

/// Say what I allow
///
/// Give, refuse or withdraw consent, object to a purpose, a topic or a fact, pause a topic, restrict everything, or
/// take that back. It holds for the very next decision.
#[utoipa::path(
    post, path = "/v1/me/statements", tag = "desk", request_body = Statement,
    responses(
        (status = 200, description = "It holds from now on", body = Done),
        (status = 422, description = "This cannot be said about that", body = Details),
    ),
)]
pub async fn statements(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Done>, Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: Statement = body::parse(&bytes)?;
    let about: About = what(asked.purpose, asked.topic, asked.attribute, asked.everything)?;
    let until = scalar::moment("until", asked.until.as_deref())?;
    let report = ConsentReport {
        channel: asked.channel.map(Into::into),
        until,
        ..ConsentReport::new(vec![caller.identifier], about, asked.status)
    };
    let at = (app.clock)();
    let (verdict, ticket) =
        app.blocking(move |app| app.engine.consent(&report, "a statement at the desk", at)).await?;
    ticket.await?;
    if let Verdict::Rejected { code, message } = verdict {
        return Err(Problem::unfit(code, "status", message));
    }
    let published = app.engine.published();
    let tongue = Tongue::of(&published.strategy, None, &headers);
    let message = tongue.say("Dank u. Dit geldt vanaf nu.", "Thank you. This holds from now on.");
    Ok(Json(Done::new(message)))
}
