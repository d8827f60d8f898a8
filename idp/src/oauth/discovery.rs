//! `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 3, RFC 8414) and `/jwks`.
//! Anybody may read both; they say all that is true here and nothing that is not.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthUrl, AuthenticationContextClass, EndSessionUrl, IssuerUrl,
    JsonWebKeySetUrl, LanguageTag, RegistrationUrl, ResponseTypes, Scope, TokenUrl, UserInfoUrl,
};
use platform::document::Document;
use platform::language::Language;
use serde::{Deserialize, Serialize};

use crate::app::{App, ServiceError, Shared};
use crate::config::{Assurance, Client, Config, GrantType, SigningAlgorithm};
use crate::http::paths;
use crate::keys::Algorithm;
use crate::protocol::claims::of_scope;
use crate::protocol::dpop;

/// What the metadata says beyond OpenID Connect Discovery.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct More {
    /// RP-Initiated Logout 1.0 section 2.1.
    end_session_endpoint: EndSessionUrl,
    /// RFC 9126 section 5.
    pushed_authorization_request_endpoint: String,
    /// RFC 8414 section 2.
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: Vec<CoreClientAuthMethod>,
    introspection_endpoint_auth_signing_alg_values_supported: Vec<String>,
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: Vec<CoreClientAuthMethod>,
    revocation_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// RFC 9449 section 5.1.
    dpop_signing_alg_values_supported: Vec<String>,
    /// RFC 7636, RFC 8414.
    code_challenge_methods_supported: Vec<String>,
    /// RFC 9207 section 3.
    authorization_response_iss_parameter_supported: bool,
    /// Back-Channel Logout 1.0 section 2.1.
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    /// Initiating User Registration via OpenID Connect 1.0 section 4.
    prompt_values_supported: Vec<String>,
}
impl AdditionalProviderMetadata for More {}

type Metadata = openidconnect::ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// `GET /.well-known/openid-configuration`
pub async fn configuration(State(app): State<Shared>, headers: HeaderMap) -> Response {
    let all = match app.publishes_all().await {
        Ok(all) => all,
        Err(error) => return unread(&error),
    };
    match app.metadata.get_or_init(|| documents(&app.config)) {
        Some(documents) => documents[usize::from(all)].answer(&headers),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn unread(error: &ServiceError) -> Response {
    tracing::error!(%error, "which keys clients ask for cannot be read");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// The metadata of each kind.
fn documents(config: &Config) -> Option<[Document; 2]> {
    let document = |all| {
        let written = metadata(config, all)
            .and_then(|metadata| Document::new(&metadata).map_err(|error| error.to_string()));
        written.inspect_err(|error| tracing::error!(error, "the provider metadata cannot be written")).ok()
    };
    Some([document(false)?, document(true)?])
}

fn metadata(config: &Config, publishes_all: bool) -> Result<Metadata, String> {
    let text = |error: url::ParseError| error.to_string();
    let url = |path: &str| config.url(path);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let signing: Vec<String> = SigningAlgorithm::ALL.map(|alg| alg.name().to_owned()).to_vec();
    let core = Algorithm::ALL.map(Algorithm::core).to_vec();
    // What is named can be verified with a key that is published.
    let ours: Vec<_> = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| publishes_all || algorithm.is_widely_known())
        .map(Algorithm::core)
        .collect();
    let confidential = vec![
        CoreClientAuthMethod::ClientSecretBasic,
        CoreClientAuthMethod::ClientSecretPost,
        CoreClientAuthMethod::PrivateKeyJwt,
    ];
    let all_methods: Vec<_> = confidential.iter().cloned().chain([CoreClientAuthMethod::None]).collect();
    let more = More {
        pushed_authorization_request_endpoint: url(paths::PAR),
        introspection_endpoint: url(paths::INTROSPECT),
        introspection_endpoint_auth_methods_supported: confidential,
        introspection_endpoint_auth_signing_alg_values_supported: signing.clone(),
        revocation_endpoint: url(paths::REVOKE),
        revocation_endpoint_auth_methods_supported: all_methods.clone(),
        revocation_endpoint_auth_signing_alg_values_supported: signing,
        dpop_signing_alg_values_supported: dpop::ALGORITHMS.map(|alg| alg.name().to_owned()).to_vec(),
        end_session_endpoint: EndSessionUrl::new(url(paths::LOGOUT)).map_err(text)?,
        code_challenge_methods_supported: words(&["S256"]),
        authorization_response_iss_parameter_supported: true,
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        prompt_values_supported: words(&["none", "login", "consent", "select_account"]),
    };
    let scopes = ["openid", "profile", "email", "phone", "address", "care_team", "offline_access"];
    let of_tokens =
        ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid", "at_hash"];
    let claims = of_tokens.iter().chain(scopes.iter().flat_map(|scope| of_scope(scope)));
    let most = config.portals.iter().map(|portal| config.most(portal)).max();
    let acr_values = config.acr.reachable(most.unwrap_or(Assurance::Password));
    // Written as it stands, whichever it is.
    let grant_types = GrantType::ALL.map(|grant_type| CoreGrantType::Extension(grant_type.name().to_owned()));
    let registration = config.registration.enabled.then(|| RegistrationUrl::new(url(paths::CLIENTS)));
    let registration = registration.transpose().map_err(text)?;
    Ok(Metadata::new(
        IssuerUrl::new(config.issuer.clone()).map_err(text)?,
        AuthUrl::new(url(paths::AUTHORIZE)).map_err(text)?,
        JsonWebKeySetUrl::new(url(paths::JWKS)).map_err(text)?,
        vec![ResponseTypes::new(vec![CoreResponseType::Code])],
        vec![CoreSubjectIdentifierType::Public, CoreSubjectIdentifierType::Pairwise],
        ours.clone(),
        more,
    )
    .set_token_endpoint(Some(TokenUrl::new(url(paths::TOKEN)).map_err(text)?))
    .set_userinfo_endpoint(Some(UserInfoUrl::new(url(paths::USERINFO)).map_err(text)?))
    .set_scopes_supported(Some(scopes.map(|scope| Scope::new(scope.into())).to_vec()))
    .set_response_modes_supported(Some(vec![CoreResponseMode::Query, CoreResponseMode::FormPost]))
    .set_grant_types_supported(Some(grant_types.to_vec()))
    .set_token_endpoint_auth_methods_supported(Some(all_methods))
    .set_token_endpoint_auth_signing_alg_values_supported(Some(core.clone()))
    .set_request_object_signing_alg_values_supported(Some(core))
    .set_userinfo_signing_alg_values_supported(Some(ours))
    .set_claim_types_supported(Some(vec![CoreClaimType::Normal]))
    .set_acr_values_supported(Some(
        acr_values.into_iter().map(|value| AuthenticationContextClass::new(value.into())).collect(),
    ))
    .set_claims_supported(Some(claims.map(|claim| CoreClaimName::new((*claim).into())).collect()))
    .set_ui_locales_supported(Some(
        Language::ALL.map(|language| LanguageTag::new(language.tag().into())).to_vec(),
    ))
    .set_claims_parameter_supported(Some(true))
    .set_request_parameter_supported(Some(true))
    .set_request_uri_parameter_supported(Some(false))
    .set_registration_endpoint(registration))
}

/// How long keys that not every client knows stay published after the last client that asked for them is gone: longer
/// than anything that was signed with one is looked at.
const KEEP_ASKED: Duration = Duration::from_hours(48);

impl App {
    /// The algorithms that are published only where a client asks for them.
    fn on_request() -> impl Iterator<Item = SigningAlgorithm> {
        SigningAlgorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_widely_known())
    }

    fn file_asks_for(&self, algorithm: SigningAlgorithm) -> bool {
        self.registry.clients().any(|registered| registered.client.asks_for(algorithm))
    }

    /// Looks which of those algorithms clients ask for, and notes it for all nodes.
    pub async fn note_asked_algorithms(&self) -> Result<(), ServiceError> {
        for algorithm in Self::on_request() {
            if self.file_asks_for(algorithm) || self.store.has_client_that_asks(algorithm).await? {
                self.store.note_asked_algorithm(algorithm).await?;
            }
        }
        self.publishes_all.forget();
        Ok(())
    }

    /// Notes what one client asks for.
    pub(super) async fn note_asked_by(&self, client: &Client) -> Result<(), ServiceError> {
        for algorithm in Self::on_request().filter(|algorithm| client.asks_for(*algorithm)) {
            self.store.note_asked_algorithm(algorithm).await?;
        }
        self.publishes_all.forget();
        Ok(())
    }

    /// Whether the keys of every algorithm are published: as it was within the last second, if another node was asked.
    async fn publishes_all(&self) -> Result<bool, ServiceError> {
        let now = self.clock.now();
        let read = async {
            for algorithm in Self::on_request() {
                let since = now.minus(KEEP_ASKED);
                let is_asked =
                    self.file_asks_for(algorithm) || self.store.was_algorithm_asked(algorithm, since).await?;
                if !is_asked {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        self.publishes_all.or_read(now, read).await
    }
}

/// `GET /jwks`: the public halves of the key ring (RFC 7517).
pub async fn jwks(State(app): State<Shared>, headers: HeaderMap) -> Response {
    match app.publishes_all().await {
        Ok(all) => (if all { app.keys.jwks() } else { app.keys.widely_known_jwks() }).answer(&headers),
        Err(error) => unread(&error),
    }
}
