//! Whatever arrives, the answer is a page or an error that was meant, and never a 500.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use tests::{Backend, Browser, Person, World};

use crate::care::{BIRTH_DATE, DOSSIER, UNKNOWN_BSN, request, with_dossier};

const FORM: &str = "application/x-www-form-urlencoded";
const SCRIPT: &str = "\"><script>alert(1)</script>{{7*7}}${7*7}' OR 1=1 --";

/// Every path that takes something; `{}` is where something stands in the path itself. What ends a session stands
/// last, or the rest would be a stranger's.
pub const IDP: &[&str] = &[
    "/sms/report/{}",
    "/authorize",
    "/token",
    "/userinfo",
    "/signin",
    "/signin/password",
    "/signin/new-password",
    "/signin/phone",
    "/signin/code",
    "/signin/code/resend",
    "/signin/consent",
    "/signin/cancel",
    "/register",
    "/register/sent",
    "/register/resend",
    "/confirm",
    "/forgot",
    "/forgot/sent",
    "/forgot/resend",
    "/reset",
    "/account",
    "/account/devices/forget",
    "/dev/clock/advance",
    "/jwks",
    "/.well-known/openid-configuration",
    "/assets/{}",
    "/account/sessions/end",
    "/account/sign-out",
    "/account/email",
    "/account/email/sent",
    "/account/email/resend",
    "/account/email/confirm",
    "/account/phone",
    "/account/phone/code",
    "/account/phone/resend",
    "/account/password",
    "/account/download",
    "/account/delete",
    "/desk",
    "/desk/search",
    "/desk/accounts/new",
    "/desk/accounts/{}",
    "/desk/accounts/P_jtDsxVtO5kTwSkd6PHBg/{}",
    "/logout",
];
const PORTAL: &[&str] = &[
    "/",
    "/login",
    "/callback",
    "/signed-out",
    "/backchannel-logout",
    "/session",
    "/session/extend",
    "/request",
    "/request/overview",
    "/requests/{}",
    "/requests/{}/sent",
    "/requests/{}/activate",
    "/requests/{}/withdraw",
    "/dossiers/{}",
    "/dossiers/{}/home",
    "/dossiers/d4k7tq/{}",
    "/team",
    "/team/links/{}",
    "/team/links/{}/code",
    "/team/links/{}/end",
    "/assets/{}",
    "/logout",
];

const NAMES: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "prompt",
    "max_age",
    "id_token_hint",
    "login_hint",
    "ui_locales",
    "acr_values",
    "lang",
    "journey",
    "token",
    "page",
    "notice",
    "code",
    "email",
    "username",
    "password",
    "new_password",
    "phone",
    "given_name",
    "family_name",
    "accept",
    "id",
    "seconds",
    "grant_type",
    "refresh_token",
    "code_verifier",
    "client_secret",
    "access_token",
    "logout_token",
    "relation",
    "birth_date",
    "bsn",
    "organisation",
    "draft",
    "activation_code",
    "return_to",
    "why",
    "text",
    "date",
    "time",
    "title",
    "link",
    "level",
    "reason",
    "post_logout_redirect_uri",
    "error",
    "iss",
];

/// Bodies of forms that no page of ours sends.
fn bodies(csrf: &str) -> Vec<Vec<u8>> {
    let all = |value: &str| {
        let pairs: Vec<String> = NAMES.iter().map(|name| format!("{name}={value}")).collect();
        format!("csrf={csrf}&{}", pairs.join("&")).into_bytes()
    };
    let script: String = url::form_urlencoded::byte_serialize(SCRIPT.as_bytes()).collect();
    let nested = format!("csrf={csrf}&{}", "email[a][b]=1&password%5B%5D=x&".repeat(20));
    vec![
        Vec::new(),
        format!("csrf={csrf}").into_bytes(),
        all(""),
        all("%00"),
        all("a%00b"),
        all("%FF%FE"),
        all("%ED%A0%80"),
        all("%0D%0ASet-Cookie:%20x=y"),
        all("%F0%9F%98%80%E2%80%AE"),
        all(&script),
        all(&"9".repeat(3_000)),
        all("-1"),
        all("18446744073709551616"),
        format!("csrf={csrf}&email={}", "a".repeat(200_000)).into_bytes(),
        format!("csrf={csrf}&email=a&email=b&code=1&code=2").into_bytes(),
        format!("csrf={csrf}&{}", "x=1&".repeat(2_000)).into_bytes(),
        nested.into_bytes(),
        vec![0, 159, 146, 150, b'=', 255],
        b"%%%=%&&&===".to_vec(),
        br#"{"email":{"$gt":""}}"#.to_vec(),
    ]
}

/// What stands where a path has a place for it.
const IN_PATH: &[&str] =
    &["x", "%00", "%0A", "%FF", "..%2F..%2Fetc%2Fpasswd", "%3Cscript%3E", "%27%20OR%201=1", "%F0%9F%98%80"];

async fn look(what: &str, request: reqwest::RequestBuilder) {
    let answer = match request.send().await {
        Ok(answer) => answer,
        // A server may hang up on a request whose head or body is beyond every measure.
        Err(error) => panic!("{what}: {error}"),
    };
    let status = answer.status();
    assert!(status.as_u16() < 500, "{what}: {status}");
    assert!(answer.headers().contains_key("content-security-policy"), "{what}");
    let body = answer.text().await.unwrap();
    assert!(!body.contains("<script>alert(1)"), "{what}: it is not escaped");
    assert!(!body.contains("panicked") && !body.contains("sqlx"), "{what}: {body}");
}

/// Sends everything to one server in a browser's name.
pub async fn storm(origin: &str, paths: &[&str], browser: &Browser, csrf: &str) {
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let jar = &browser.cookies["localhost"];
    let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = cookies.join("; ");
    let bodies = bodies(csrf);
    for path in paths {
        let fillings = if path.contains("{}") { IN_PATH } else { &[""] };
        for filling in fillings {
            let url = format!("{origin}{}", path.replace("{}", filling));
            look(&url, client.get(&url).header("cookie", &cookies)).await;
            if !path.contains("{}") || *filling == "%00" {
                for (number, body) in bodies.iter().enumerate() {
                    let post = client.post(&url).header("cookie", &cookies).header(CONTENT_TYPE, FORM);
                    look(&format!("POST {url} #{number}"), post.body(body.clone())).await;
                    if body.len() < 8_000 && !body.contains(&0) {
                        let query = String::from_utf8_lossy(body).into_owned();
                        let mut with_query = url::Url::parse(&url).unwrap();
                        with_query.set_query(Some(&query));
                        look(
                            &format!("GET {url} #{number}"),
                            client.get(with_query).header("cookie", &cookies),
                        )
                        .await;
                    }
                }
            }
        }
        let url = format!("{origin}{}", path.replace("{}", "x"));
        for kind in ["application/json", "multipart/form-data", "text/plain", ""] {
            look(
                &url,
                client.post(&url).header("cookie", &cookies).header(CONTENT_TYPE, kind).body("{\"a\":1}"),
            )
            .await;
        }
        for (name, value) in [
            ("cookie", &b"browser=\xff\xfe; voordeur-session=\x80; voordeur-device=;;=;"[..]),
            ("cookie", b"voordeur-session=a; voordeur-session=b; voordeur-portal-session=%00"),
            ("authorization", b"Bearer \xff"),
            ("authorization", b"Basic !!!!"),
            ("authorization", b"Basic JTAwOiUwMA=="),
            ("authorization", b"bearer a.b.c"),
            ("accept-language", b"\xff,,;q=x"),
            ("user-agent", b"\xff<script>"),
            ("content-type", b"\xff"),
        ] {
            let value = reqwest::header::HeaderValue::from_bytes(value).unwrap();
            look(&format!("{name} at {url}"), client.get(&url).header(name, value.clone())).await;
            look(&format!("{name} at POST {url}"), client.post(&url).header(name, value).body("a=b")).await;
        }
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            look(&format!("{method} {url}"), client.request(method, &url)).await;
        }
    }
}

/// The token for this browser's forms at one server.
pub async fn token(browser: &mut Browser, url: &str, form: &str) -> String {
    browser.open(url).await;
    let (_, fields) = browser.form_of(form);
    fields.into_iter().find(|(name, _)| name == "csrf").unwrap().1
}

#[tokio::test]
async fn no_input_to_the_provider_is_a_500() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        // A stranger, and somebody who is signed in.
        let csrf = token(&mut browser, &format!("{}/register", world.issuer), "register-submit").await;
        storm(&world.issuer, IDP, &browser, &csrf).await;
        world.relying_party().code(&world, &mut browser, &Person::ANNA).await;
        storm(&world.issuer, IDP, &browser, &csrf).await;
    }
}

#[tokio::test]
async fn no_input_to_the_portal_is_a_500() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut anna, mut carla) = with_dossier(&world, "full").await;
        let mut stranger = world.browser();
        stranger.open(&format!("{}/", world.portal_origin)).await;
        storm(&world.portal_origin, PORTAL, &stranger, "x").await;
        let desk: Vec<&str> = PORTAL.iter().copied().filter(|path| path.starts_with("/team")).collect();
        for (browser, paths) in [(&mut anna, PORTAL), (&mut carla, &desk)] {
            let csrf = token(browser, &format!("{}/request", world.portal_origin), "request-submit").await;
            storm(&world.portal_origin, paths, browser, &csrf).await;
        }
    }
}

/// Every value that a hostile hand could put into one field of a form that is shown.
fn values() -> Vec<String> {
    let mut values: Vec<String> =
        ["", " ", "\0", "a\0b", "\r\nX: y", "\u{202e}\u{0}", "😀".repeat(50).as_str(), SCRIPT]
            .map(str::to_owned)
            .into();
    values.extend([
        "x".repeat(10_000),
        "é".repeat(200_000 / 2),
        "[object Object]".into(),
        "null".into(),
        "NaN".into(),
    ]);
    values
}

/// Fills one field after the other of the form that the browser shows.
pub async fn torment(browser: &Browser, form: &str) {
    let (_, fields) = browser.form_of(form);
    for (name, _) in fields.iter().filter(|(name, _)| name != "csrf") {
        for value in values() {
            let mut copy = browser.clone();
            copy.send(form, &[(name, &value)]).await;
            let what = format!("{name} of #{form} = {:?}", value.chars().take(20).collect::<String>());
            assert!(copy.page.status.as_u16() < 500, "{what}: {}", copy.page.status);
            assert!(!copy.page.body.contains("<script>alert(1)"), "{what}");
        }
    }
}

#[tokio::test]
async fn every_step_of_a_sign_in_takes_any_input() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            // What is looked at here are the fields, not the limits.
            config.limits.sign_ins_per_address_per_hour = 0;
            config.limits.mails_per_address_per_hour = 0;
        })
        .await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut browser = world.browser();
        browser.open(&format!("{}/register", world.issuer)).await;
        torment(&browser, "register-submit").await;
        browser.open(&format!("{}/forgot", world.issuer)).await;
        torment(&browser, "forgot-submit").await;
        browser.open(&portal.authorize_url(&[])).await;
        torment(&browser, "login-submit").await;
        browser.give_password(&Person::ANNA).await;
        assert!(browser.has("otp"), "{}", browser.text());
        torment(&browser, "otp-submit").await;
        browser.give_code(&world, &Person::ANNA).await;
        assert!(portal.answered(&browser, "code").is_some(), "and none of that did any harm");
    }
}

#[tokio::test]
async fn every_form_of_the_portal_takes_any_input() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut anna, mut carla) = with_dossier(&world, "full").await;
        let origin = world.portal_origin.clone();
        let waiting = request(&mut anna, &origin, UNKNOWN_BSN, BIRTH_DATE).await;
        torment(&anna, "logout").await;
        for (path, form) in [
            ("/request".to_owned(), "request-submit"),
            (waiting.clone(), "activate-submit"),
            (format!("/dossiers/{DOSSIER}/this-is-me"), "text"),
            (format!("/dossiers/{DOSSIER}/reports"), "text"),
            (format!("/dossiers/{DOSSIER}/appointments"), "date"),
        ] {
            anna.open(&format!("{origin}{path}")).await;
            assert_eq!(anna.page.status, StatusCode::OK, "{path}");
            torment(&anna, form).await;
        }
        carla.open(&format!("{origin}/team/links/{}", waiting.trim_start_matches("/requests/"))).await;
        torment(&carla, "team-issue").await;
        // What was written is shown as it was written, and nothing else came of it.
        anna.open(&format!("{origin}/dossiers/{DOSSIER}/reports")).await;
        assert_eq!(anna.page.status, StatusCode::OK);
        assert!(!anna.page.body.contains("<script>alert(1)"));
    }
}
