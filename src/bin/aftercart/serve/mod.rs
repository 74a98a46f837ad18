//! `aftercart serve`, and `aftercart demo --serve`: a small shop in the browser over a catalog. It decides with the same calls
//! as any host, and shows beside the page how each decision came about. On this machine alone: it listens on localhost.

mod answer;
mod order;
mod shop;
mod switches;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aftercart::OpenOptions;
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Failure;
use shop::Shop;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  aftercart serve --catalog shop.aftercart --policy policy.toml\n  aftercart demo --serve          # over the bundled catalog"
)]
pub(crate) struct Args {
    /// Catalog file
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// The policy, in place of the catalog's own; the page's switch that blocks categories adds to it, and needs it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Ready baskets: requests as `decide --jsonl` reads them, one a line, with a case_id
    #[arg(long, value_name = "FILE")]
    baskets: Option<PathBuf>,
    /// Port on localhost; 0 = any that is free
    #[arg(long, default_value_t = PORT)]
    port: u16,
}

/// Where the shop is, where nobody says otherwise.
pub(crate) const PORT: u16 = 8080;

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    serve(&args.catalog, args.policy.as_deref(), args.baskets.as_deref(), args.port)
}

/// Serves until it is interrupted.
pub(crate) fn serve(
    catalog: &Path,
    policy: Option<&Path>,
    baskets: Option<&Path>,
    port: u16,
) -> Result<(), Failure> {
    let shop = Shop::open(catalog, OpenOptions::default(), policy, baskets)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.map_err(|error| {
            format!("port {port}: {error}\n  way out: --port with another one, or 0 for any that is free")
        })?;
        println!("The shop is open: http://{}/   (Ctrl-C closes it)", listener.local_addr()?);
        let closed = async {
            let _ = tokio::signal::ctrl_c().await;
        };
        axum::serve(listener, router(shop)).with_graceful_shutdown(closed).await?;
        Ok(())
    })
}

type Shared = State<Arc<Mutex<Shop>>>;
type Answer = Result<Json<Value>, Wrong>;

fn router(shop: Shop) -> Router {
    Router::new()
        .route("/", get(|| async { page("text/html; charset=utf-8", include_str!("page/index.html")) }))
        .route(
            "/style.css",
            get(|| async { page("text/css; charset=utf-8", include_str!("page/style.css")) }),
        )
        .route(
            "/shop.js",
            get(|| async { page("text/javascript; charset=utf-8", include_str!("page/shop.js")) }),
        )
        .route(
            "/inspector.js",
            get(|| async { page("text/javascript; charset=utf-8", include_str!("page/inspector.js")) }),
        )
        .route("/api/shop", get(about))
        .route("/api/search", get(search))
        .route("/api/decide", post(decide))
        .route("/api/why", post(why))
        .route("/api/switch", post(switch))
        .route("/api/accept", post(accept))
        .layer(middleware::from_fn(guard))
        .with_state(Arc::new(Mutex::new(shop)))
}

fn page(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Another site's page in the same browser could ask for a name of its own that leads here; so only names of this machine are
/// answered, and the page may load nothing from elsewhere.
async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !["localhost", "127.0.0.1"].contains(&name) {
        return (StatusCode::MISDIRECTED_REQUEST, "this shop is on localhost only").into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(policy));
    response
}

/// What a request may fail with: prose, for the page's status line.
struct Wrong(String);

impl<E: std::fmt::Display> From<E> for Wrong {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({ "error": self.0 }))).into_response()
    }
}

fn enter(shop: &Mutex<Shop>) -> MutexGuard<'_, Shop> {
    shop.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn about(State(shop): Shared) -> Answer {
    Ok(Json(enter(&shop).about()))
}

#[derive(Deserialize)]
struct Search {
    q: String,
}

async fn search(State(shop): Shared, Query(search): Query<Search>) -> Answer {
    Ok(Json(enter(&shop).search(&search.q)))
}

async fn decide(State(shop): Shared, Json(order): Json<order::Order>) -> Answer {
    Ok(Json(answer::decide(&mut enter(&shop), &order)?))
}

async fn why(State(shop): Shared, Json(asked): Json<order::Asked>) -> Answer {
    Ok(Json(answer::why(&mut enter(&shop), &asked)?))
}

async fn accept(State(shop): Shared, Json(click): Json<order::Click>) -> Answer {
    Ok(Json(answer::accept(&enter(&shop), &click)?))
}

async fn switch(State(shop): Shared, Json(switch): Json<switches::Switch>) -> Answer {
    let mut shop = enter(&shop);
    shop.switch(&switch)?;
    Ok(Json(shop.switches()))
}
