//! Which request goes where? All routes, once, together with the document that describes them.

use crate::{
    access,
    app::App,
    audit, consents, customers, decide, erasing, events, experiments, explaining, fairness, inventory,
    key_admin, me, merging, models, notice, outcomes, page, preferences, probes,
    problem::{Details, Problem},
    rejects, report, reviews, summary, taking_along, token_admin,
};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use std::{sync::Arc, time::Instant};
use tower_http::cors::{Any, CorsLayer};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Attent",
        description = "The customer brain: decides, for one customer and one moment, what is most relevant to say, do or ask, or to stay silent; explains why; and learns from what happens next.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "channels", description = "Ask for decisions and report what came of them"),
        (name = "data", description = "What happened, what is known, what is allowed"),
        (name = "desk", description = "The customer's own desk, with a token signed for the customer"),
        (name = "explanation", description = "Why this and not that"),
        (name = "administration", description = "Keys and rejects"),
        (name = "audit", description = "What was done, by whom, and whether it was changed since"),
        (name = "operation", description = "Is it alive, ready, busy"),
    ),
    modifiers(&Keys),
    components(schemas(Details)),
    security(("bearer" = []), ("api_key" = []), ("basic" = [])),
)]
struct Document;

/// The three ways to present a key.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let http = |scheme| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build());
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", http(HttpAuthScheme::Bearer));
        components.add_security_scheme("basic", http(HttpAuthScheme::Basic));
        components.add_security_scheme(
            "api_key",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))),
        );
    }
}

/// The document of all routes: OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().into_openapi()
}

fn described() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(decide::decide))
        .routes(routes!(outcomes::outcomes))
        .routes(routes!(events::events))
        .routes(routes!(consents::consents))
        .routes(routes!(consents::consent_ledger))
        .routes(routes!(customers::lookup))
        .routes(routes!(merging::merge))
        .routes(routes!(merging::unmerge))
        .routes(routes!(merging::conflicts))
        .routes(routes!(explaining::decision))
        .routes(routes!(me::me, me::forget_me))
        .routes(routes!(me::decisions))
        .routes(routes!(me::corrections))
        .routes(routes!(me::contest))
        .routes(routes!(preferences::preferences))
        .routes(routes!(preferences::statements))
        .routes(routes!(taking_along::my_export))
        .routes(routes!(taking_along::export))
        .routes(routes!(taking_along::import))
        .routes(routes!(reviews::contested))
        .routes(routes!(reviews::queue))
        .routes(routes!(reviews::settle))
        .routes(routes!(token_admin::preference_link))
        .routes(routes!(token_admin::token_keys, token_admin::register_token_key))
        .routes(routes!(token_admin::remove_token_key))
        .routes(routes!(summary::strategy))
        .routes(routes!(experiments::experiments))
        .routes(routes!(models::models))
        .routes(routes!(notice::notice))
        .routes(routes!(inventory::inventory))
        .routes(routes!(erasing::erase))
        .routes(routes!(audit::audit))
        .routes(routes!(audit::head))
        .routes(routes!(audit::reads))
        .routes(routes!(audit::backup))
        .routes(routes!(fairness::fairness))
        .routes(routes!(report::report))
        .routes(routes!(rejects::rejects))
        .routes(routes!(key_admin::keys, key_admin::make_key))
        .routes(routes!(key_admin::revoke_key))
        .routes(routes!(probes::livez))
        .routes(routes!(probes::readyz))
        .routes(routes!(probes::metrics))
}

/// Everything the server answers.
pub fn router(app: Arc<App>) -> Router {
    let (router, document) = described().split_for_parts();
    let document = serde_json::to_string(&document).expect("the document holds text only");
    let json = HeaderValue::from_static("application/json");
    router
        .route("/", get(page::page))
        .route("/openapi.json", get(move || async move { ([(header::CONTENT_TYPE, json)], document) }))
        .route_layer(middleware::from_fn_with_state(app.clone(), access::guard))
        .route_layer(middleware::from_fn_with_state(app.clone(), count))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(cors())
        .with_state(app)
}

async fn nothing_here() -> Problem {
    Problem::not_found("no_route", "there is nothing at this path; `/openapi.json` lists what there is")
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        "this path does not know this method; `/openapi.json` lists what there is",
    )
}

async fn count(State(app): State<Arc<App>>, path: MatchedPath, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let arrived = Instant::now();
    let response = next.run(request).await;
    let took = arrived.elapsed();
    app.telemetry.request(path.as_str(), method.as_str(), response.status().as_u16(), took);
    if response.status().is_server_error() {
        tracing::warn!(
            route = path.as_str(),
            status = response.status().as_u16(),
            ?took,
            "answered with an error"
        );
    } else {
        tracing::debug!(route = path.as_str(), status = response.status().as_u16(), ?took, "answered");
    }
    response
}

/// Browsers of any site may call; what they may do depends on their key.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            HeaderName::from_static("x-customer-token"),
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::CONTENT_ENCODING,
            HeaderName::from_static("x-api-key"),
        ])
        .expose_headers([header::RETRY_AFTER, header::ETAG])
}
