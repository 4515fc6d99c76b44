//! The least that any server in this framework must do: read the same JSON, write as much JSON back.

use axum::{Json, Router, routing::post};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    customer: Option<Customer>,
    channel: String,
    placements: Vec<Asked>,
    #[serde(default)]
    context: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Customer {
    identifiers: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Asked {
    placement: String,
}

#[derive(Serialize)]
struct Answer {
    decision: Option<String>,
    default: bool,
    dry_run: bool,
    strategy: String,
    slots: Vec<Slot>,
}

#[derive(Serialize)]
struct Slot {
    placement: String,
    slot: u16,
    action: Option<String>,
    treatment: Option<String>,
    title: Option<String>,
    body: Option<String>,
    probability: Option<f32>,
}

async fn answer(Json(question): Json<Question>) -> Json<Answer> {
    let known = question.customer.map_or(0, |customer| customer.identifiers.len());
    let slot = |asked: Asked| Slot {
        placement: asked.placement,
        slot: 0,
        action: Some("sales/group_07/action_00007".into()),
        treatment: Some("home".into()),
        title: Some(format!("Action {known}")),
        body: Some(format!("Something useful on {}.", question.channel)),
        probability: Some(0.5 + question.context.len() as f32),
    };
    Json(Answer {
        decision: Some("d_019cd277ea0071e0a99173564931c0b8".into()),
        default: false,
        dry_run: false,
        strategy: "0123456789abcdef0123456789abcdef".into(),
        slots: question.placements.into_iter().map(slot).collect(),
    })
}

/// Serves until killed; says where on standard output, as the product does.
pub fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{{\"url\": \"http://{}\"}}", listener.local_addr().expect("an address"));
        axum::serve(listener, Router::new().route("/v1/decide", post(answer))).await.expect("it serves");
    });
}
