//! What a running node of the portal holds: built the same way by `serve` and by tests.

use std::sync::Arc;

use include_dir::{Dir, include_dir};
use web::clock::Clock;
use web::cookies::CookieRules;
use web::csrf::Csrf;
use web::db::{Db, Marks, OpenError, Schema};
use web::ephemeral::{Ephemeral, EphemeralError};
use web::flood::FloodGuard;
use web::kept::KeptForms;
use web::once::Once;
use web::pages::{PageError, Pages};
use web::random::Random;
use web::request::Front;
use web::seal::Sealer;

use crate::access_log::AccessLog;
use crate::config::{Organisation, Settings};
use crate::dossiers::Dossiers;
use crate::dossiers::identity::Matcher;
use crate::dossiers::notes::Notes;
use crate::links::Links;
use crate::oidc::{OidcError, Provider};
use crate::session::Sessions;
use crate::team::Audit;

/// The largest form that is read, in bytes.
pub const LARGEST_FORM: usize = 128 * 1024;

static MIGRATIONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../migrations/portal");

/// The portal's tables.
pub static SCHEMA: Schema = Schema {
    program: "portal-client",
    migrations: &MIGRATIONS,
    witness: ("SELECT bsn FROM links WHERE bsn <> '' LIMIT 1", "link bsn"),
    counted: &["links", "notes", "sessions", "audit", "access_log"],
};

/// Why a node could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error(transparent)]
    Ephemeral(#[from] EphemeralError),
    #[error(transparent)]
    Pages(#[from] PageError),
    #[error(transparent)]
    Provider(#[from] OidcError),
}

/// A running node.
pub struct App {
    pub settings: Settings,
    pub clock: Clock,
    pub random: Random,
    pub db: Db,
    pub ephemeral: Ephemeral,
    pub pages: Pages,
    pub front: Arc<Front>,
    pub provider: Provider,
    pub sessions: Sessions,
    pub links: Links,
    pub dossiers: Dossiers,
    pub notes: Notes,
    pub access_log: AccessLog,
    pub audit: Audit,
    pub posts: FloodGuard,
    pub sign_ins: FloodGuard,
    /// Forms that somebody has not sent.
    pub kept: KeptForms,
    pub once: Arc<Once>,
    /// Seals expiring values that hold what a person filled in.
    pub drafts: Sealer,
}

impl App {
    /// Opens the database, brings its schema up to date and reads the templates. The provider is asked
    /// nothing yet, so that the portal may start before it.
    ///
    /// # Errors
    /// [`BuildError`], for the operator.
    pub async fn new(settings: Settings, clock: Clock, random: Random) -> Result<Self, BuildError> {
        let db = Db::open(&settings.database, &SCHEMA, &settings.root).await?;
        Marks::of(&settings.database, settings.root_file.as_deref()).tell(&db);
        let ephemeral = match &settings.redis {
            Some(url) => Ephemeral::redis(url, "portal:", clock.clone()).await?,
            None => Ephemeral::sql(db.clone(), clock.clone()),
        };
        let root = &settings.root;
        let front = Front {
            cookies: CookieRules { secure: settings.https },
            csrf: Csrf::new(root),
            random: random.clone(),
            default_language: settings.default_language,
            trusted_proxies: settings.trusted_proxies.clone(),
        };
        let front = Arc::new(front);
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
        let matcher = Matcher::new(root);
        Ok(Self {
            pages: Pages::load(settings.brand_folder.as_deref())?,
            front,
            kept,
            once,
            provider: Provider::new(settings.provider.clone(), &settings.origin, clock.clone())?,
            sessions: Sessions::new(db.clone(), clock.clone(), settings.session, root),
            links: Links::new(db.clone(), root),
            dossiers: if settings.demo { Dossiers::demo(&matcher) } else { Dossiers::default() },
            notes: Notes::new(db.clone(), root),
            access_log: AccessLog::new(db.clone()),
            audit: Audit::new(db.clone()),
            posts: FloodGuard::per_minute(settings.limits.posts_per_minute),
            sign_ins: FloodGuard::per_minute(settings.limits.sign_ins_per_minute),
            drafts: root.sealer("draft"),
            settings,
            clock,
            random,
            db,
            ephemeral,
        })
    }

    /// A care organisation of the configuration.
    pub fn organisation(&self, id: &str) -> Option<&Organisation> {
        self.settings.organisations.iter().find(|organisation| organisation.id == id)
    }

    /// An organisation's name, or its identifier if it left the configuration.
    pub fn organisation_name(&self, id: &str) -> String {
        self.organisation(id).map_or_else(|| id.to_owned(), |organisation| organisation.name.clone())
    }

    /// Removes what has expired.
    ///
    /// # Errors
    /// The store's.
    pub async fn sweep(&self) -> Result<(), EphemeralError> {
        self.posts.sweep();
        self.sign_ins.sweep();
        self.ephemeral.sweep().await?;
        self.sessions.sweep().await?;
        let now = self.clock.now();
        if let Some(kept) = self.settings.retention.audit {
            self.audit.forget(now.minus(kept)).await?;
        }
        if let Some(kept) = self.settings.retention.access_log {
            self.access_log.forget(now.minus(kept)).await?;
        }
        Ok(())
    }
}
