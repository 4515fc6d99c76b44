//! `GET /`: what is this, and what can I try? One plain page for a person with a browser.

use crate::{app::App, summary};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use decision::strategy::Strategy;
use std::{fmt::Write, sync::Arc};

const PAGE: &str = include_str!("page.html");

/// The page.
pub async fn page(State(app): State<Arc<App>>) -> Response {
    let published = app.engine.published();
    let strategy = &published.strategy;
    let (channel, direction, placement) = example(strategy);
    let page = PAGE
        .replace("{organisation}", &escape(&strategy.organisation.name))
        .replace("{version}", &strategy.version.to_string())
        .replace("{counts}", &counts(strategy))
        .replace("{problems}", &problems(&app))
        .replace("{channel}", &escape(channel))
        .replace("{direction}", direction)
        .replace("{placement}", &escape(placement));
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}

fn example(strategy: &Strategy) -> (&str, &'static str, &str) {
    let inbound = |channel: &&decision::strategy::Channel| {
        channel.directions.contains(&decision::request::Direction::Inbound)
    };
    let with_placement = |channel: &decision::strategy::Channel| {
        strategy.placements.iter().find(|placement| placement.channel == channel.id)
    };
    let found = strategy
        .channels
        .iter()
        .filter(inbound)
        .find_map(|channel| Some((channel, with_placement(channel)?)));
    match found
        .or_else(|| strategy.channels.iter().find_map(|channel| Some((channel, with_placement(channel)?))))
    {
        Some((channel, placement)) if inbound(&channel) => {
            (channel.id.as_str(), "inbound", placement.id.as_str())
        }
        Some((channel, placement)) => (channel.id.as_str(), "outbound", placement.id.as_str()),
        None => ("CHANNEL", "inbound", "PLACEMENT"),
    }
}

fn counts(strategy: &Strategy) -> String {
    let mut items = String::new();
    for (kind, count) in summary::counts(strategy) {
        write!(items, "<li><b>{count}</b> {kind}</li>").expect("a text can always be added to");
    }
    items
}

fn problems(app: &App) -> String {
    match app.pending_problems().len() {
        0 => String::new(),
        count => format!(
            "<p class=\"problem\">The strategy folder was changed and has {count} problem(s), so this version keeps deciding. \
             <code>attent check</code> shows them.</p>"
        ),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
