//! What a running node holds, built the same way by `serve` and by tests.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use web::clock::Clock;
use web::cookies::CookieRules;
use web::csrf::Csrf;
use web::ephemeral::{Ephemeral, EphemeralError};
use web::flood::{FloodGuard, household};
use web::headers::Forms;
use web::kept::KeptForms;
use web::look::{Brand, Look};
use web::metrics::Metrics;
use web::once::Once;
use web::pages::Pages;
use web::random::Random;
use web::request::{Front, Visit};
use web::seal::{Hasher, RootKey};

use crate::config::{Config, Registry};
use crate::credentials::codes::OneTimeCodes;
use crate::credentials::passwords::PasswordPool;
use crate::delivery::{Delivery, outbound};
use crate::domain::account::Account;
use crate::keys::{ClientKeys, KeyRing};
use crate::store::{Store, StoreError};

/// One node.
pub struct App {
    pub config: Config,
    pub registry: Registry,
    pub clock: Clock,
    pub random: Random,
    pub store: Store,
    pub ephemeral: Ephemeral,
    pub keys: KeyRing,
    pub passwords: PasswordPool,
    pub codes: OneTimeCodes,
    pub delivery: Delivery,
    pub pages: Pages,
    pub metrics: Metrics,
    pub front: Arc<Front>,
    /// Forms that somebody has not sent.
    pub kept: KeptForms,
    pub once: Arc<Once>,
    pub flood: FloodGuard,
    /// The same for the endpoints that clients call themselves.
    pub client_flood: FloodGuard,
    /// Hashes what is looked up but must not be read: phone numbers and addresses in counters, mailed codes.
    pub lookup: Hasher,
    /// Makes the subjects that one sector sees.
    pub pairwise: Hasher,
    pub client_keys: ClientKeys,
}

pub type Shared = Arc<App>;

/// Why a node did not start; the text is for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

fn failed(error: impl std::error::Error) -> StartError {
    StartError(error.to_string())
}

/// The largest form that is read, in bytes.
pub const LARGEST_FORM: usize = 256 * 1024;

/// Why a handler could not do its work; logged once, answered with the page for 500 or 503.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ephemeral(#[from] EphemeralError),
    #[error("{0}")]
    Other(String),
    /// More sign-ins wait for the password threads than may.
    #[error("too many sign-ins at once")]
    Busy,
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl App {
    /// Builds a node from its configuration; makes the database if there is none.
    ///
    /// # Errors
    /// What is missing or wrong, for the operator.
    pub async fn new(config: Config, clock: Clock, random: Random) -> Result<Shared, StartError> {
        Self::build(config, clock, random, None).await
    }

    /// As [`App::new`], for a command: on a database that is there.
    ///
    /// # Errors
    /// What is missing or wrong, for the operator.
    pub async fn on(config: Config, store: Store) -> Result<Shared, StartError> {
        let (clock, random) = (store.clock.clone(), store.random.clone());
        Self::build(config, clock, random, Some(store)).await
    }

    async fn build(
        config: Config,
        clock: Clock,
        random: Random,
        store: Option<Store>,
    ) -> Result<Shared, StartError> {
        let root = RootKey::new(&config.reveal(&config.secrets.root, "secrets.root").map_err(failed)?)
            .map_err(|error| StartError(format!("{}: secrets.root: {error}", config.path.display())))?;
        let registry = config.registry().map_err(failed)?;
        let store = if let Some(store) = store {
            store
        } else {
            let (clock, random, root) = (clock.clone(), random.clone(), root.clone());
            let store = Store::open(&config.database, clock, random, root).await.map_err(failed)?;
            config.marks().tell(store.db());
            store
        };
        let ephemeral = match config.ephemeral.as_str() {
            "database" => Ephemeral::sql(store.db().clone(), clock.clone()),
            url => Ephemeral::redis(url, "idp:", clock.clone()).await.map_err(failed)?,
        };
        let keys = KeyRing::open(store.clone(), &config.keys, &config.tokens).await.map_err(failed)?;
        let passwords = PasswordPool::new(&config.password, random.clone()).map_err(failed)?;
        let fixed = (!config.dev.fixed_code.is_empty()).then(|| config.dev.fixed_code.clone());
        let codes =
            OneTimeCodes::new(root.hasher("one-time code"), random.clone(), config.codes.digits, fixed);
        let delivery = Delivery::new(store.clone(), keys.clone(), &config).map_err(failed)?;
        let metrics = Metrics::with(|registry| delivery.metrics().register(registry));
        let pages = Pages::load(config.brand_folder.as_deref()).map_err(failed)?;
        let front = Arc::new(Front {
            cookies: CookieRules { secure: config.is_https() },
            csrf: Csrf::new(&root),
            random: random.clone(),
            default_language: config.default_language,
            trusted_proxies: config.trusted_proxies.clone(),
        });
        let flood = FloodGuard::per_minute(config.limits.posts_per_minute);
        let client_flood = FloodGuard::per_minute(config.limits.client_requests_per_minute);
        let kept = KeptForms {
            ephemeral: ephemeral.clone(),
            sealer: root.sealer("kept form"),
            random: random.clone(),
        };
        let once = Arc::new(Once {
            front: Arc::clone(&front),
            ephemeral: ephemeral.clone(),
            sealer: root.sealer("answer"),
            largest: LARGEST_FORM,
        });
        let lookup = root.hasher("lookup");
        let pairwise = root.hasher("pairwise subject");
        let http = outbound::client(&config).map_err(failed)?;
        let client_keys = ClientKeys::new(http, clock.clone());
        Ok(Arc::new(Self {
            config,
            registry,
            clock,
            random,
            store,
            ephemeral,
            keys,
            passwords,
            codes,
            delivery,
            pages,
            metrics,
            front,
            kept,
            once,
            flood,
            client_flood,
            lookup,
            pairwise,
            client_keys,
        }))
    }

    /// An absolute URL of this server: always at the configured issuer, whatever a request's headers say.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.config.issuer)
    }

    /// The brand of the portal a person came from.
    pub fn brand(&self, client_id: Option<&str>) -> &Brand {
        &self.registry.portal_of(client_id).brand
    }

    /// What pages look like for who came from a portal; the first portal's, if no client led here.
    pub fn look(&self, client_id: Option<&str>) -> Look<'_> {
        self.registry.portal_of(client_id).look()
    }

    /// A page of this server.
    pub fn page(
        &self,
        visit: &Visit,
        client_id: Option<&str>,
        status: StatusCode,
        template: &str,
        page: &impl Serialize,
    ) -> Response {
        self.pages.respond(visit, self.look(client_id), status, template, page, Forms::Here)
    }

    /// Raises a counter; true while it is within `limit`. Zero lifts the limit.
    ///
    /// # Errors
    /// The backend's.
    pub async fn within(&self, key: &str, limit: u32, window: Duration) -> Result<bool, EphemeralError> {
        if limit == 0 {
            return Ok(true);
        }
        Ok(self.ephemeral.count(key, window).await?.count <= i64::from(limit))
    }

    /// Whether a counter has reached `limit` already; does not raise it.
    ///
    /// # Errors
    /// The backend's.
    pub async fn is_exhausted(&self, key: &str, limit: u32) -> Result<bool, EphemeralError> {
        if limit == 0 {
            return Ok(false);
        }
        Ok(self.ephemeral.get(key).await?.is_some_and(|counter| counter.version >= i64::from(limit)))
    }

    /// The key of a counter for a network address; an IPv6 network of one household counts as one.
    pub fn address_key(&self, kind: &str, address: IpAddr) -> String {
        format!("{kind}:{}", self.lookup.hash(&household(address).to_string()))
    }

    /// The masked phone number of an account, as its holder recognises it.
    ///
    /// # Errors
    /// If it was sealed under another root key.
    pub fn masked_phone(&self, sealed: &str) -> Result<String, StoreError> {
        let e164 = self.store.open_phone(sealed)?;
        Ok(crate::domain::phone::PhoneNumber::parse(&e164).map(|number| number.masked()).unwrap_or_default())
    }

    /// How long a session may be idle.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.sessions.idle_minutes) * 60)
    }

    /// Whether a session of this account gets no tokens now: the account is blocked, or the known device the
    /// session lives on is locked. The lock on all other devices ends no session: any stranger can bring it about.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_barred(&self, account: &Account, device: Option<&str>) -> Result<bool, StoreError> {
        if account.blocked_at.is_some() {
            return Ok(true);
        }
        let Some(device) = device else { return Ok(false) };
        Ok(self.store.locked_until(&account.id, device).await?.is_some())
    }
}

/// Adds `Retry-After`, in seconds (RFC 9110 section 10.2.3).
pub fn retry_after(mut response: Response, wait: Duration) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    response
}
