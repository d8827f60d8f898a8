// cargo add openidconnect reqwest
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpClientError, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl,
    Scope, TokenResponse, http,
};
use url::Url;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
type Error = Box<dyn std::error::Error>;

pub struct Portal {
    client: Client,
    provider: ProviderMetadataWithLogout,
    home: PostLogoutRedirectUrl,
}

/// What the visitor's session keeps while the person is away.
pub struct Pending {
    verifier: PkceCodeVerifier,
    state: CsrfToken,
    nonce: Nonce,
}

impl Portal {
    /// Once, when the portal starts.
    pub async fn connect(
        issuer: &str,
        client_id: &str,
        secret: &str,
        redirect_uri: &str,
        home: &str,
    ) -> Result<Self, Error> {
        let issuer = IssuerUrl::new(issuer.into())?;
        let provider = ProviderMetadataWithLogout::discover_async(issuer, &ask).await?;
        let (client_id, secret) = (ClientId::new(client_id.into()), ClientSecret::new(secret.into()));
        let client = CoreClient::from_provider_metadata(provider.clone(), client_id, Some(secret))
            .set_redirect_uri(RedirectUrl::new(redirect_uri.into())?);
        Ok(Self { client, provider, home: PostLogoutRedirectUrl::new(home.into())? })
    }

    /// `GET /login`: redirect to the URL.
    pub fn login(&self) -> (Url, Pending) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = self.client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let scopes = ["profile", "email", "offline_access"].map(|scope| Scope::new(scope.into()));
        let (url, state, nonce) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();
        (url, Pending { verifier, state, nonce })
    }

    /// `GET /callback`
    pub async fn callback(
        &self,
        code: String,
        state: &str,
        pending: Pending,
    ) -> Result<(CoreTokenResponse, CoreIdTokenClaims), Error> {
        if pending.state.secret() != state {
            return Err("this answer belongs to another visitor".into());
        }
        let request = self.client.exchange_code(AuthorizationCode::new(code))?;
        let tokens = request.set_pkce_verifier(pending.verifier).request_async(&ask).await?;
        let id_token = tokens.id_token().ok_or("no ID token")?;
        let claims = id_token.claims(&self.client.id_token_verifier(), &pending.nonce)?.clone();
        Ok((tokens, claims))
    }

    pub async fn userinfo(&self, tokens: &CoreTokenResponse) -> Result<CoreUserInfoClaims, Error> {
        let request = self.client.user_info(tokens.access_token().clone(), None)?;
        Ok(request.request_async(&ask).await?)
    }

    /// Keep what comes back: a refresh token works once.
    pub async fn refresh(&self, tokens: &CoreTokenResponse) -> Result<CoreTokenResponse, Error> {
        let token = tokens.refresh_token().ok_or("no refresh token")?;
        Ok(self.client.exchange_refresh_token(token)?.request_async(&ask).await?)
    }

    /// `GET /logout`: end the visitor's session and redirect to this URL.
    pub fn logout(&self, tokens: &CoreTokenResponse) -> Result<Url, Error> {
        let end_session = &self.provider.additional_metadata().end_session_endpoint;
        let end_session = end_session.clone().ok_or("no logout")?;
        let request = LogoutRequest::from(end_session).set_post_logout_redirect_uri(self.home.clone());
        Ok(match tokens.id_token() {
            Some(id_token) => request.set_id_token_hint(id_token).http_get_url(),
            None => request.http_get_url(),
        })
    }
}

/// One request to the provider.
async fn ask(request: HttpRequest) -> Result<HttpResponse, HttpClientError<reqwest::Error>> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let request = request.try_into().map_err(Box::new)?;
    let answer = client.map_err(Box::new)?.execute(request).await.map_err(Box::new)?;
    let mut response = http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    Ok(response.body(answer.bytes().await.map_err(Box::new)?.to_vec())?)
}
