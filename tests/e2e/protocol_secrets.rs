//! Client secrets, as libraries really send them (RFC 6749 section 2.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use idp::config::{Client, TokenEndpointAuthMethod};
use platform::config::Secret;
use reqwest::Response;
use serde_json::Value;
use tests::{Backend, World};

use crate::log_lines::Log;

fn client(client_id: &str, secret: &str, method: TokenEndpointAuthMethod) -> Client {
    Client {
        client_id: client_id.into(),
        client_secret: Some(Secret::Literal(secret.into())),
        token_endpoint_auth_method: method,
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        ..Client::default()
    }
}

/// As RFC 6749 appendix B encodes it.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A request at one of the endpoints that clients authenticate at, for something that is nobody's.
async fn at(world: &World, path: &str, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> Response {
    let mut all = vec![("grant_type", "refresh_token"), ("refresh_token", "nobodys"), ("token", "nobodys")];
    all.extend(form);
    let mut request = reqwest::Client::new().post(format!("{}{path}", world.issuer)).form(&all);
    if let Some((user, password)) = basic {
        let credentials = STANDARD.encode(format!("{user}:{password}"));
        request = request.header("authorization", format!("Basic {credentials}"));
    }
    request.send().await.unwrap()
}

/// Whether the client was let in, and what it was told if not.
async fn told(answer: Response) -> Option<String> {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    let description = body["error_description"].as_str().unwrap_or_default().to_owned();
    if body["error"] == "invalid_client" {
        assert_eq!(status, 401);
        return Some(description);
    }
    None
}

const ENDPOINTS: [&str; 4] = ["/token", "/par", "/introspect", "/revoke"];

#[tokio::test]
async fn a_secret_is_right_form_encoded_and_as_it_stands() {
    use TokenEndpointAuthMethod::ClientSecretBasic as Basic;
    for backend in Backend::ALL {
        let secrets = [
            ("plus", "a+b/c=with+plus"),
            ("percent", "100%25-sure%zz%"),
            ("both", "p%2Bq+r s&t=u"),
            ("colon", "a:b::c"),
            ("umlaut", "wachtwoord-\u{eb}\u{20ac}-lang"),
            ("my/client&1", "ein%20Geheimnis+"),
        ];
        let clients = secrets.map(|(id, secret)| client(id, secret, Basic)).to_vec();
        let world = World::with_clients(backend, clients).await;
        for path in ENDPOINTS {
            for (id, secret) in secrets {
                let answer = at(&world, path, Some((&encoded(id), &encoded(secret))), &[]).await;
                assert_eq!(told(answer).await, None, "{path} {id}: encoded");
                if !id.contains(':') {
                    let answer = at(&world, path, Some((id, secret)), &[]).await;
                    assert_eq!(told(answer).await, None, "{path} {id}: as it stands");
                    let answer = at(&world, path, Some((id, secret)), &[("client_id", id)]).await;
                    assert_eq!(told(answer).await, None, "{path} {id}: named in the form too");
                }
                // Neither reading of anything else is good.
                for wrong in
                    [format!("{secret}x"), encoded(&encoded(secret)) + "%", String::new(), "+".into()]
                {
                    let answer = at(&world, path, Some((&encoded(id), &wrong)), &[]).await;
                    assert!(told(answer).await.is_some(), "{path} {id}: {wrong}");
                }
            }
            // One client's secret is not another's, nor is a name that differs in the form.
            let answer = at(&world, path, Some(("plus", "a:b::c")), &[]).await;
            assert!(told(answer).await.is_some());
            let answer = at(&world, path, Some(("plus", "a+b/c=with+plus")), &[("client_id", "colon")]).await;
            assert!(told(answer).await.is_some());
        }
    }
}

/// What is wrong stands in the log, and is told to who proved the secret.
#[tokio::test]
async fn a_right_secret_in_the_wrong_place_is_told_apart() {
    use TokenEndpointAuthMethod::{ClientSecretBasic, ClientSecretPost};
    for backend in Backend::ALL {
        let log = Log::keep();
        let clients = vec![
            client("basic", "the+right-one", ClientSecretBasic),
            client("post", "the+right-one", ClientSecretPost),
        ];
        let world = World::with_clients(backend, clients).await;
        let in_form = |id: &'static str, secret: &'static str| [("client_id", id), ("client_secret", secret)];
        let mut seen = 0;
        let mut logged = |part: &str| {
            let text = log.text();
            let new = text[seen..].to_owned();
            seen = text.len();
            assert!(new.contains(part), "no '{part}' in {new}");
            assert!(!new.contains("right-one") && !new.contains("wrong-one"), "{new}");
        };
        for path in ENDPOINTS {
            let answer =
                told(at(&world, path, None, &in_form("basic", "the+right-one")).await).await.unwrap();
            assert!(
                answer.contains("the secret is right") && answer.contains("client_secret_basic"),
                "{answer}"
            );
            logged("client_secret_basic");
            for sent in ["the+right-one", "the%2Bright-one"] {
                let answer = told(at(&world, path, Some(("post", sent)), &[]).await).await.unwrap();
                assert!(answer.contains("the secret is right") && answer.contains("client_secret_post"));
                logged("client_secret_post");
            }
            // Who proved nothing learns nothing: an unknown client and a wrong secret look the same.
            let mut answers = Vec::new();
            answers.push(told(at(&world, path, None, &in_form("basic", "wrong-one")).await).await);
            logged("not where token_endpoint_auth_method puts it");
            answers.push(told(at(&world, path, Some(("post", "wrong-one")), &[]).await).await);
            logged("not where token_endpoint_auth_method puts it");
            answers.push(told(at(&world, path, Some(("basic", "wrong-one")), &[]).await).await);
            logged("the client secret is wrong");
            answers.push(told(at(&world, path, None, &in_form("post", "wrong-one")).await).await);
            logged("the client secret is wrong");
            answers.push(told(at(&world, path, Some(("nobody", "wrong-one")), &[]).await).await);
            logged("there is no client with this client_id");
            answers.push(told(at(&world, path, None, &[("client_id", "basic")]).await).await);
            logged("neither a secret nor an assertion");
            answers.push(told(at(&world, path, None, &in_form("spa", "wrong-one")).await).await);
            logged("public client");
            answers.dedup();
            assert_eq!(answers, [Some("client authentication failed".to_owned())], "{path}");
        }
    }
}
