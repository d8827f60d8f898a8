//! A portal in this process with a provider that signs everybody in as whom the test says, and browsers.

pub mod provider;

use std::sync::Arc;
use std::time::Duration;

use platform::clock::{Clock, Timestamp};
use platform::config::Secret;
use platform::random::Random;
use platform::shutdown::Shutdown;
use portal_client::app::App;
use portal_client::config::{Config, Settings};
use portal_client::router::router;
use reqwest::header::{self, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use tokio::net::TcpListener;

use provider::FakeProvider;

/// A running portal.
pub struct Portal {
    pub origin: String,
    pub clock: Clock,
    pub provider: FakeProvider,
    pub app: Arc<App>,
    folder: std::path::PathBuf,
    _stop: tokio::sync::watch::Sender<bool>,
}

impl Portal {
    pub async fn start() -> Self {
        Self::on(0, Clock::fixed(Timestamp(1_795_000_000_000))).await
    }

    pub async fn on(port: u16, clock: Clock) -> Self {
        Self::with(port, clock, |_| ()).await
    }

    pub async fn with(port: u16, clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let listen = listener.local_addr().unwrap();
        let origin = format!("http://localhost:{}", listen.port());
        let provider = FakeProvider::start(clock.clone()).await;
        let folder = std::env::temp_dir().join(format!("portal-flow-{}", Random::system().id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut config = Config { origin: origin.clone(), listen: listen.to_string(), ..Config::default() };
        config.demo = true;
        config.dev.literal_secrets = true;
        config.database = Secret::Literal(database(&folder).await);
        config.secrets.root = Secret::Literal("0123456789abcdef0123456789abcdef".into());
        config.oidc.issuer = provider.issuer.clone();
        config.oidc.client_secret = Secret::Literal("secret".into());
        config.limits.posts_per_minute = 0;
        config.limits.sign_ins_per_minute = 0;
        change(&mut config);
        let settings = Settings::check(&config, &folder.join("portal.toml")).unwrap();
        let app = Arc::new(App::new(settings, clock.clone(), Random::system()).await.unwrap());
        let (stop, shutdown) = Shutdown::channel();
        tokio::spawn(platform::serve::serve(listener, router(Arc::clone(&app)), shutdown));
        Self { origin, clock, provider, app, folder, _stop: stop }
    }

    pub fn browser(&self) -> Browser {
        let asks = [(header::ACCEPT, HeaderValue::from_static("text/html,*/*;q=0.8"))];
        let client = Client::builder().default_headers(asks.into_iter().collect());
        let client = client.cookie_store(true).redirect(Policy::limited(10)).no_proxy();
        Browser { client: client.build().unwrap(), origin: self.origin.clone(), page: String::new() }
    }

    /// A browser in which this person has signed in and come to `path`.
    pub async fn signed_in(&self, who: provider::Who, path: &str) -> Browser {
        self.provider.next_is(who);
        let mut browser = self.browser();
        browser.get(&format!("/login?return_to={path}")).await;
        browser
    }

    pub fn advance(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(minutes * 60));
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A new SQLite file; or, where `PORTAL_TEST_POSTGRES` names a server (`postgres://user@host:port`), a new
/// database there.
async fn database(folder: &std::path::Path) -> String {
    let Ok(server) = std::env::var("PORTAL_TEST_POSTGRES") else {
        return format!("sqlite:{}", folder.join("portal.db").display());
    };
    sqlx::any::install_default_drivers();
    let name = format!("portal_{}", Random::system().digits(12));
    let pool = sqlx::AnyPool::connect(&format!("{server}/postgres")).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.unwrap();
    format!("{server}/{name}")
}

/// A browser with a cookie jar and the page that it shows.
pub struct Browser {
    pub client: Client,
    pub origin: String,
    pub page: String,
}

impl Browser {
    pub async fn get(&mut self, path: &str) -> (StatusCode, String) {
        let answer = self.client.get(format!("{}{path}", self.origin)).send().await.unwrap();
        self.take(answer).await
    }

    /// Sends a form with the token of the page that is shown.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let token = self.between("name=\"csrf\" value=\"", "\"").unwrap_or_default();
        let mut form = vec![("csrf", token.as_str())];
        form.extend_from_slice(fields);
        let answer = self.client.post(format!("{}{path}", self.origin)).form(&form).send().await.unwrap();
        self.take(answer).await
    }

    async fn take(&mut self, answer: Response) -> (StatusCode, String) {
        let (status, path) = (answer.status(), answer.url().path().to_owned());
        self.page = answer.text().await.unwrap();
        (status, path)
    }

    pub fn between(&self, before: &str, after: &str) -> Option<String> {
        let start = self.page.find(before)? + before.len();
        let length = self.page[start..].find(after)?;
        Some(self.page[start..start + length].to_owned())
    }

    pub fn shows(&self, text: &str) -> bool {
        self.page.contains(text)
    }
}
