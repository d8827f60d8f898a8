//! A plain OAuth client, for requests that a well-behaved library would not let a test make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use platform::random::Random;
use platform::seal::sha256;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use url::Url;

use crate::browser::Browser;
use crate::world::{Person, World};

/// One client of the identity provider.
#[derive(Clone)]
pub struct RelyingParty {
    pub issuer: String,
    pub client_id: String,
    pub secret: Option<String>,
    pub redirect_uri: String,
    pub verifier: String,
    pub http: Client,
}

/// What the token endpoint gave.
#[derive(Clone, Debug)]
pub struct Tokens(pub Value);

impl Tokens {
    pub fn get(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }

    /// The claims of a token, unverified.
    pub fn claims(&self, name: &str) -> Value {
        let payload = self.get(name).split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }
}

impl RelyingParty {
    pub fn new(issuer: &str, client_id: &str, secret: Option<&str>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            secret: secret.map(str::to_owned),
            redirect_uri: "http://127.0.0.1:9999/cb".to_owned(),
            verifier: Random::system().token(),
            http: Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// The authorization request, with changes; an empty value removes a parameter.
    pub fn authorize_url(&self, changes: &[(&str, &str)]) -> String {
        let challenge = sha256(&self.verifier);
        let mut parameters = vec![
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", &self.redirect_uri),
            ("response_type", "code"),
            ("scope", "openid profile email phone offline_access"),
            ("state", "the-state"),
            ("nonce", "the-nonce"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            parameters.retain(|(known, _)| known != name);
            if !value.is_empty() {
                parameters.push((name, value));
            }
        }
        Url::parse_with_params(&format!("{}/authorize", self.issuer), parameters).unwrap().into()
    }

    /// The parameters with which the browser came back to this client.
    pub fn answer(&self, browser: &Browser) -> Vec<(String, String)> {
        let url = &browser.page.url;
        assert!(url.as_str().starts_with("http://127.0.0.1:9999/"), "not back: {url}\n{}", browser.text());
        url.query_pairs().into_owned().collect()
    }

    /// One parameter of the answer.
    pub fn answered(&self, browser: &Browser, name: &str) -> Option<String> {
        self.answer(browser).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Signs a person in and returns the authorization code.
    pub async fn code(&self, world: &World, browser: &mut Browser, person: &Person) -> String {
        browser.open(&self.authorize_url(&[])).await;
        if browser.has("login-page") {
            browser.sign_in(world, person).await;
        }
        self.answered(browser, "code").expect("a code")
    }

    /// `POST /token` with this client's authentication.
    pub async fn token(&self, form: &[(&str, &str)]) -> Response {
        let mut request = self.http.post(format!("{}/token", self.issuer));
        let mut form = form.to_vec();
        match &self.secret {
            Some(secret) => request = request.basic_auth(&self.client_id, Some(secret)),
            None => form.push(("client_id", &self.client_id)),
        }
        request.form(&form).send().await.unwrap()
    }

    /// Redeems a code.
    pub async fn redeem(&self, code: &str) -> Response {
        let (uri, verifier) = (self.redirect_uri.as_str(), self.verifier.as_str());
        let grant = "authorization_code";
        self.token(&[
            ("grant_type", grant),
            ("code", code),
            ("redirect_uri", uri),
            ("code_verifier", verifier),
        ])
        .await
    }

    /// Signs a person in and redeems the code.
    pub async fn tokens(&self, world: &World, browser: &mut Browser, person: &Person) -> Tokens {
        let code = self.code(world, browser, person).await;
        let answer = self.redeem(&code).await;
        assert_eq!(answer.status(), StatusCode::OK);
        Tokens(answer.json().await.unwrap())
    }

    /// `GET /userinfo`
    pub async fn userinfo(&self, access_token: &str) -> Response {
        self.http.get(format!("{}/userinfo", self.issuer)).bearer_auth(access_token).send().await.unwrap()
    }
}
