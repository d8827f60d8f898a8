//! A client that signs: its assertions (RFC 7523), its proofs of possession (RFC 9449), its requests (RFC 9101).
//! Each of them can be made wrong in any way.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idp::config::{Client, GrantType, SigningAlgorithm, TokenEndpointAuthMethod};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use platform::clock::Clock;
use platform::random::Random;
use platform::seal::sha256;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::browser::Browser;
use crate::relying_party::{RelyingParty, Tokens};
use crate::world::{Person, World};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn jws(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Ps256 => Algorithm::PS256,
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

/// An object with changes; a member that is changed to null is left out.
pub fn changed(mut whole: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            whole.as_object_mut().unwrap().remove(name);
        } else {
            whole[name] = value.clone();
        }
    }
    whole
}

/// A key of a client, for one algorithm.
#[derive(Clone)]
pub struct Key {
    encoding: Arc<EncodingKey>,
    pub algorithm: SigningAlgorithm,
    kid: String,
    public: Value,
}

impl Key {
    pub fn new(algorithm: SigningAlgorithm) -> Self {
        let kid = Random::system().id();
        let made_for = match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => &PKCS_RSA_SHA256,
            SigningAlgorithm::Es256 => &PKCS_ECDSA_P256_SHA256,
            SigningAlgorithm::EdDsa => &PKCS_ED25519,
        };
        let pair = KeyPair::generate_for(made_for).unwrap();
        let pkcs8 = pair.serialize_der();
        let (encoding, mut public) = match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
                // The crate wants PKCS #1, which is what PKCS #8 wraps in a header of 26 bytes at this size.
                let key = EncodingKey::from_rsa_der(&pkcs8[26..]);
                let jwk = Jwk::from_encoding_key(&key, jws(algorithm)).unwrap();
                (key, serde_json::to_value(jwk).unwrap())
            }
            SigningAlgorithm::Es256 => {
                let (x, y) = pair.public_key_raw()[1..].split_at(32);
                let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
                (EncodingKey::from_ec_der(&pkcs8), jwk)
            }
            SigningAlgorithm::EdDsa => {
                let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key_raw()) });
                (EncodingKey::from_ed_der(&pkcs8), jwk)
            }
        };
        public["kid"] = json!(kid);
        Self { encoding: Arc::new(encoding), algorithm, kid, public }
    }

    /// The same key, used for another algorithm.
    #[must_use]
    pub fn used_for(&self, algorithm: SigningAlgorithm) -> Self {
        Self { algorithm, ..self.clone() }
    }

    /// The public half as a JWK.
    pub fn public(&self) -> Value {
        self.public.clone()
    }

    /// The SHA-256 thumbprint (RFC 7638).
    pub fn jkt(&self) -> String {
        let jwk: Jwk = serde_json::from_value(self.public()).unwrap();
        jwk.thumbprint(ThumbprintHash::SHA256).unwrap()
    }

    /// A signed JWT with the usual header.
    pub fn sign(&self, typ: &str, claims: &Value) -> String {
        let header = json!({ "alg": self.algorithm.name(), "typ": typ, "kid": self.kid });
        self.sign_with_header(&header, claims)
    }

    /// A JWT with any header at all, signed in this key's algorithm.
    pub fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.encoding, jws(self.algorithm)).unwrap();
        format!("{message}.{signature}")
    }

    /// The configuration of a client that authenticates with this key (RFC 7591 section 2).
    pub fn client(&self, client_id: &str) -> Client {
        Client {
            client_id: client_id.to_owned(),
            token_endpoint_auth_method: TokenEndpointAuthMethod::PrivateKeyJwt,
            jwks: Some(serde_json::from_value(json!({ "keys": [self.public()] })).unwrap()),
            redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            ..Client::default()
        }
    }
}

/// A client that authenticates with a key and, if it has a second one, proves possession of that.
#[derive(Clone)]
pub struct SigningClient {
    pub portal: RelyingParty,
    pub key: Key,
    pub dpop: Option<Key>,
    clock: Clock,
}

impl SigningClient {
    pub fn new(world: &World, client_id: &str, key: &Key, dpop: Option<&Key>) -> Self {
        Self {
            portal: RelyingParty::new(&world.issuer, client_id, None),
            key: key.clone(),
            dpop: dpop.cloned(),
            clock: world.clock.clone(),
        }
    }

    /// The same client, proving possession of another key, or of none.
    #[must_use]
    pub fn with_key(&self, dpop: Option<&Key>) -> Self {
        Self { dpop: dpop.cloned(), ..self.clone() }
    }

    /// A client assertion (RFC 7523 section 3) for the issuer, with changes.
    pub fn assertion(&self, changes: &Value) -> String {
        let (now, id) = (self.clock.now().seconds(), &self.portal.client_id);
        let jti = Random::system().id();
        let claims = json!({ "iss": id, "sub": id, "aud": self.portal.issuer, "iat": now, "exp": now + 60, "jti": jti });
        self.key.sign("JWT", &changed(claims, changes))
    }

    /// A DPoP proof (RFC 9449 section 4.2) of `key` for one request, with changes to its header and claims.
    pub fn proof_of(
        &self,
        key: &Key,
        (method, path): (&str, &str),
        token: Option<&str>,
        header: &Value,
        claims: &Value,
    ) -> String {
        let mut jwk = key.public();
        jwk.as_object_mut().unwrap().retain(|name, _| !["kid", "alg"].contains(&name.as_str()));
        let usual = json!({ "typ": "dpop+jwt", "alg": key.algorithm.name(), "jwk": jwk });
        let (htu, jti) = (format!("{}{path}", self.portal.issuer), Random::system().id());
        let mut said = json!({ "htm": method, "htu": htu, "iat": self.clock.now().seconds(), "jti": jti });
        if let Some(token) = token {
            said["ath"] = json!(sha256(token));
        }
        key.sign_with_header(&changed(usual, header), &changed(said, claims))
    }

    /// A good proof of this client's own key.
    pub fn proof(&self, method: &str, path: &str, token: Option<&str>) -> String {
        let key = self.dpop.as_ref().expect("a client with a DPoP key");
        self.proof_of(key, (method, path), token, &json!({}), &json!({}))
    }

    /// `POST` of exactly these fields and DPoP proofs.
    pub async fn send(&self, path: &str, form: &[(&str, &str)], proofs: &[String]) -> Response {
        let mut request = self.portal.http.post(format!("{}{path}", self.portal.issuer)).form(form);
        for proof in proofs {
            request = request.header("dpop", proof);
        }
        request.send().await.unwrap()
    }

    /// `POST` of these fields with a client assertion of this text, and these proofs.
    pub async fn send_as(
        &self,
        assertion: &str,
        path: &str,
        form: &[(&str, &str)],
        proofs: &[String],
    ) -> Response {
        let mut form = form.to_vec();
        form.extend([("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)]);
        self.send(path, &form, proofs).await
    }

    /// `POST` of these fields as this client does it: with a fresh assertion, and with a proof if it has a key for
    /// that.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let proofs: Vec<String> = self.dpop.iter().map(|_| self.proof("POST", path, None)).collect();
        self.send_as(&self.assertion(&json!({})), path, form, &proofs).await
    }

    /// The parameters of an authorization request, with changes; an empty value removes one.
    pub fn parameters(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let url = Url::parse(&self.portal.authorize_url(changes)).unwrap();
        url.query_pairs().into_owned().collect()
    }

    /// `POST /par` (RFC 9126 section 2.1)
    pub async fn push(&self, changes: &[(&str, &str)]) -> Response {
        let parameters = self.parameters(changes);
        self.post("/par", &borrowed(&parameters)).await
    }

    /// Pushes a request; the URL that the browser is sent to with it.
    pub async fn pushed(&self, changes: &[(&str, &str)]) -> String {
        let answer = self.push(changes).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let answer: Value = answer.json().await.unwrap();
        self.visit(answer["request_uri"].as_str().unwrap())
    }

    /// The URL that the browser is sent to with a request that was pushed.
    pub fn visit(&self, request_uri: &str) -> String {
        let parameters = [("client_id", self.portal.client_id.as_str()), ("request_uri", request_uri)];
        let url = format!("{}/authorize", self.portal.issuer);
        Url::parse_with_params(&url, parameters).unwrap().into()
    }

    /// A code from a pushed request; the person signs in if nobody has.
    pub async fn code(&self, world: &World, browser: &mut Browser, changes: &[(&str, &str)]) -> String {
        browser.open(&self.pushed(changes).await).await;
        if browser.has("login-page") {
            browser.sign_in(world, &Person::ANNA).await;
        }
        self.portal.answered(browser, "code").expect("a code")
    }

    /// The fields of a token request for a code.
    pub fn redemption<'a>(&'a self, code: &'a str) -> [(&'a str, &'a str); 4] {
        [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.portal.redirect_uri),
            ("code_verifier", &self.portal.verifier),
        ]
    }

    pub async fn redeem(&self, code: &str) -> Response {
        self.post("/token", &self.redemption(code)).await
    }

    pub async fn refresh(&self, token: &str) -> Response {
        self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Pushes, signs in, redeems.
    pub async fn tokens(&self, world: &World, browser: &mut Browser) -> Tokens {
        let code = self.code(world, browser, &[]).await;
        let answer = self.redeem(&code).await;
        assert_eq!(answer.status(), StatusCode::OK);
        Tokens(answer.json().await.unwrap())
    }

    /// `/userinfo` with exactly this `Authorization` header and these proofs.
    pub async fn userinfo(&self, method: Method, authorization: &str, proofs: &[String]) -> Response {
        let url = format!("{}/userinfo", self.portal.issuer);
        let mut request = self.portal.http.request(method, url).header("authorization", authorization);
        for proof in proofs {
            request = request.header("dpop", proof);
        }
        request.send().await.unwrap()
    }
}

/// A form as the HTTP client takes it.
pub fn borrowed(form: &[(String, String)]) -> Vec<(&str, &str)> {
    form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
