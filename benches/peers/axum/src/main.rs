//! What does JSON over HTTP cost in Rust, before anything is decided? Reads the attributes of a customer and
//! answers with as many numbers as an answer has. It decides nothing. Usage: attent-peers-axum ACTIONS PORT

use axum::{Json, Router, extract::State, routing::post};
use serde::Serialize;
use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

#[derive(Clone, Serialize)]
struct Answer {
    eligible: Arc<[usize]>,
}

async fn answer(State(answer): State<Answer>, Json(attributes): Json<BTreeMap<String, f64>>) -> Json<Answer> {
    let nobody = || Answer { eligible: [].into() };
    Json(if attributes.contains_key("a00") { answer } else { nobody() })
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u16>().expect("a number"));
    let (actions, port) = (numbers.next().expect("actions"), numbers.next().expect("a port"));
    let eligible = (0..usize::from(actions)).step_by(8).collect();
    let routes = Router::new().route("/", post(answer)).with_state(Answer { eligible });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("a free port");
        axum::serve(listener, routes).await.expect("a server");
    });
}
