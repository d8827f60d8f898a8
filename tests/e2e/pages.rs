//! What every page carries: headers, cookies, and forms that only our own pages can send.

use std::sync::Arc;

use platform::config::Secret;
use platform::random::Random;
use platform::shutdown::Shutdown;
use portal_client::app::App as PortalApp;
use portal_client::config::{Config as PortalConfig, Settings};
use portal_client::http::paths;
use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Method, StatusCode};
use tests::{Backend, Browser, Page, Person, World};
use tokio::net::TcpListener;
use url::Url;

use crate::care::{BIRTH_DATE, BSN, DOSSIER, ask, at_portal, request, with_dossier};

const ISSUER: &str = "https://login.localhost";
const PORTAL: &str = "https://portal.example";

/// What every answer has to carry. `https`: as behind a proxy that ends TLS.
fn assert_guarded(page: &Page, https: bool) {
    let at = format!("{} ({})", page.url, page.status);
    let header = |name: &str| page.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let policy = header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{at}: {policy}"
    );
    assert!(policy.contains("base-uri 'none'"), "{at}: {policy}");
    // Of the forms that may be the last of a sign-in only the portal knows where they end.
    let last = ["/authorize", "/signin/", "/register/sent", "/forgot/sent", "/confirm", "/reset"];
    let may_end_elsewhere = last.iter().any(|start| page.url.path().starts_with(start));
    assert!(policy.contains("form-action 'self'") || may_end_elsewhere, "{at}: {policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{at}: {policy}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{at}");
    assert_eq!(header("x-frame-options"), "DENY", "{at}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{at}");
    let public = ["/assets/", "/brand/", "/jwks", "/.well-known/"];
    if !public.iter().any(|start| page.url.path().starts_with(start)) {
        assert_eq!(header("cache-control"), "no-store", "{at}");
    }
    assert_eq!(header("strict-transport-security").contains("max-age=63072000"), https, "{at}");
    assert!(page.status.as_u16() < 500, "{at}");
    if page.status.is_redirection() && page.status != StatusCode::NOT_MODIFIED {
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{at}");
    }
    for line in page.headers.get_all(SET_COOKIE) {
        let line = line.to_str().unwrap();
        assert_eq!(line.starts_with("__Host-"), https, "{at}: {line}");
        assert_eq!(line.contains("; Secure"), https, "{at}: {line}");
        assert!(line.contains("; HttpOnly") && line.contains("; SameSite=Lax"), "{at}: {line}");
        assert!(line.contains("; Path=/") && !line.contains("Domain"), "{at}: {line}");
    }
    // No inline script or style that the policy would stop, and no form without its token.
    for word in ["<script>", "style=\"", "onclick=", "onsubmit=", "javascript:"] {
        assert!(!page.body.contains(word), "{at}: {word}");
    }
    for form in page.body.split("<form").skip(1) {
        let form = form.split("</form>").next().unwrap();
        let own = !form.contains("action=\"http");
        assert!(!own || form.contains("name=\"csrf\""), "{at}: a form without a token: {form}");
    }
}

/// A person at two servers behind a proxy: public addresses are asked for at the loopback ones.
struct Walk {
    browser: Browser,
    real: [(&'static str, String); 2],
}

impl Walk {
    fn reachable(&self, url: &Url) -> Url {
        let mut text = url.to_string();
        for (public, real) in &self.real {
            if let Some(rest) = text.strip_prefix(public) {
                text = format!("{real}{rest}");
            }
        }
        Url::parse(&text).unwrap()
    }

    /// Goes to an address and where it leads, looking at every answer.
    async fn go(&mut self, url: &str) {
        let mut next = self.reachable(&Url::parse(url).unwrap());
        loop {
            self.browser.request(Method::GET, &next, None).await;
            let Some(target) = self.checked() else { return };
            next = target;
        }
    }

    /// Sends a form and follows the answer, looking at every one.
    async fn send(&mut self, id: &str, typed: &[(&str, &str)]) {
        self.browser.send(id, typed).await;
        if let Some(target) = self.checked() {
            self.go(target.as_str()).await;
        }
    }

    fn checked(&self) -> Option<Url> {
        let page = &self.browser.page;
        assert_guarded(page, true);
        let location = page.headers.get(LOCATION)?.to_str().unwrap();
        let target = self.reachable(&page.url.join(location).unwrap());
        (target.port() != Some(9_999)).then_some(target)
    }
}

/// A portal at an https origin, beside the one of the world.
async fn https_portal(world: &World) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(world.folder.join(name), text).unwrap();
        Secret::File { file: name.into() }
    };
    let mut config = PortalConfig {
        origin: PORTAL.into(),
        listen: address.to_string(),
        demo: true,
        database: Secret::Literal(format!("sqlite:{}/portal-https.db", world.folder.display())),
        ..PortalConfig::default()
    };
    config.secrets.root = file("portal.key", "0123456789abcdef0123456789abcdef");
    config.oidc.client_secret = file("portal.secret", "secret-of-a-portal-in-tests-0123456789");
    config.oidc.issuer.clone_from(&world.issuer);
    let settings = Settings::check(&config, &world.folder.join("portal.toml")).unwrap();
    let app = Arc::new(PortalApp::new(settings, world.clock.clone(), Random::system()).await.unwrap());
    let (stop, shutdown) = Shutdown::channel();
    tokio::spawn(async move {
        let _stop = stop;
        platform::serve::serve(listener, portal_client::router::router(app), shutdown).await;
    });
    format!("http://localhost:{}", address.port())
}

#[tokio::test]
async fn t35_behind_https_every_page_of_the_provider_is_guarded_and_every_cookie_host_bound() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| config.issuer = ISSUER.into()).await;
        world.add(&Person::ANNA).await;
        let real = [(ISSUER, world.issuer.clone()), (PORTAL, world.portal_origin.clone())];
        let mut walk = Walk { browser: world.browser(), real };
        for path in [
            "/",
            "/signin",
            "/signin/password",
            "/signin/new-password",
            "/signin/phone",
            "/signin/code",
            "/signin/consent",
            "/register",
            "/register/sent",
            "/confirm?token=x",
            "/forgot",
            "/forgot/sent",
            "/reset?token=x",
            "/account",
            "/account/email",
            "/account/email/sent",
            "/account/email/confirm?token=x",
            "/account/phone",
            "/account/phone/code",
            "/account/password",
            "/account/download",
            "/account/delete",
            "/session",
            "/session/ended",
            "/desk",
            "/desk/accounts/new",
            "/desk/accounts/x",
            "/desk/accounts/P_jtDsxVtO5kTwSkd6PHBg",
            "/desk/accounts/P_jtDsxVtO5kTwSkd6PHBg/block",
            "/logout",
            "/authorize",
            "/userinfo",
            "/token",
            "/jwks",
            "/healthz",
            "/readyz",
            "/dev/outbox",
            "/dev/outbox.json",
            "/brand/puur-van-jou.css",
            "/brand/nobody.css",
            "/assets/style.css",
            "/assets/none",
            "/.well-known/openid-configuration",
            "/nowhere",
            "/signin?lang=en",
        ] {
            walk.go(&format!("{ISSUER}{path}")).await;
        }
        // A whole sign-in of a new person, with a mail and a phone; every answer on the way is looked at.
        let portal = world.relying_party();
        walk.go(&portal.authorize_url(&[])).await;
        assert!(walk.browser.has("login-page"));
        walk.send("login-submit", &[("email", "nobody@example.nl"), ("password", "x")]).await;
        let names: Vec<String> = walk.browser.cookies["localhost"].keys().cloned().collect();
        assert!(names.iter().all(|name| name.starts_with("__Host-")), "{names:?}");
        walk.send("login-submit", &[("email", Person::ANNA.email), ("password", Person::ANNA.password)])
            .await;
        assert!(walk.browser.has("otp"), "{}", walk.browser.text());
        let code = world.code(Person::ANNA.phone).await;
        walk.send("otp-submit", &[("code", "000")]).await;
        walk.send("otp-submit", &[("code", &code)]).await;
        assert!(walk.browser.page.headers[LOCATION].to_str().unwrap().contains("code="));
        assert!(walk.browser.cookie("__Host-session").is_some());
        let form_post = portal.authorize_url(&[("response_mode", "form_post")]);
        walk.go(&form_post).await;
        walk.go(&portal.authorize_url(&[("client_id", "third-party")])).await;
        assert!(walk.browser.has("consent-allow"));
        walk.go(&format!("{ISSUER}/account")).await;
        assert!(walk.browser.has("signout"), "{}", walk.browser.text());
        walk.go(&format!("{ISSUER}/logout")).await;
        walk.send("logout-confirm", &[]).await;
        assert!(walk.browser.has("logged-out-page"));
        // A cookie of the plain name is nobody's here.
        let session = walk.browser.cookie("__Host-session").map(str::to_owned);
        assert_eq!(session, None);

        // Registration and recovery.
        walk.go(&format!("{ISSUER}/register")).await;
        walk.send("register-submit", &[("email", "x")]).await;
        let dora = [
            ("given_name", "Dora"),
            ("family_name", "de Vries"),
            ("email", "dora@example.nl"),
            ("password", "Fiets-Molen-Regen-42"),
        ];
        walk.send("register-submit", &dora).await;
        let mails = world.mails("dora@example.nl").await;
        let link = mails[0]
            .text
            .split_whitespace()
            .find(|word| word.starts_with(ISSUER))
            .expect("a link")
            .to_owned();
        walk.go(&link).await;
        walk.send("confirm-submit", &[]).await;
        walk.go(&format!("{ISSUER}/forgot")).await;
        walk.send("forgot-submit", &[("email", "dora@example.nl")]).await;
        let mails = world.mails("dora@example.nl").await;
        let reset = format!("{ISSUER}/reset");
        let link =
            mails.iter().flat_map(|mail| mail.text.split_whitespace()).find(|word| word.starts_with(&reset));
        walk.go(link.expect("a link")).await;
        walk.send("reset-submit", &[("new_password", "short")]).await;
        walk.send("reset-submit", &[("new_password", "Nieuwe-Fiets-Molen-43")]).await;
    }
}

#[tokio::test]
async fn t35_behind_https_every_page_of_the_portal_is_guarded() {
    let world = World::with(Backend::Embedded, |config| {
        let clients = config.portals.iter_mut().flat_map(|portal| &mut portal.clients);
        clients.filter(|client| client.client_id == "portal").for_each(|client| {
            client.redirect_uris.push(format!("{PORTAL}/callback"));
            client.post_logout_redirect_uris.push(format!("{PORTAL}/signed-out"));
        });
    })
    .await;
    world.add(&Person::CARLA).await;
    let origin = https_portal(&world).await;
    // The provider itself is the plain one of this world, so only the portal's own answers are looked at.
    let mut browser = world.browser();
    let get = |path: &str| Url::parse(&format!("{origin}{path}")).unwrap();
    let all = [
        paths::HOME,
        paths::LOGIN,
        paths::CALLBACK,
        paths::LOGOUT,
        paths::SIGNED_OUT,
        paths::BACKCHANNEL_LOGOUT,
        paths::SESSION,
        paths::REQUEST,
        paths::REQUEST_OVERVIEW,
        "/requests/x",
        "/requests/x/sent",
        "/dossiers/d4k7tq",
        "/dossiers/d4k7tq/home",
        "/dossiers/d4k7tq/nothing",
        paths::TEAM,
        "/team/links/x",
        paths::HEALTHZ,
        paths::READYZ,
        "/brand/portal.css",
        "/assets/style.css",
        "/nowhere",
        "/?lang=en",
        "/dev/clock/advance",
    ];
    for path in all {
        browser.request(Method::GET, &get(path), None).await;
        assert_guarded(&browser.page, true);
    }
    // Signed in, with the browser carried over from the provider by hand.
    browser.request(Method::GET, &get("/login?return_to=/team"), None).await;
    let there = browser.page.headers[LOCATION].to_str().unwrap().to_owned();
    let mut at_idp = world.browser();
    at_idp.open(&there).await;
    at_idp.give_password(&Person::CARLA).await;
    at_idp.send("otp-submit", &[("code", &world.code(Person::CARLA.phone).await)]).await;
    let back = at_idp.page.headers[LOCATION].to_str().unwrap().replace(PORTAL, &origin);
    browser.request(Method::GET, &Url::parse(&back).unwrap(), None).await;
    assert_guarded(&browser.page, true);
    assert!(browser.cookie("__Host-portal-session").is_some(), "{:?}", browser.cookies);
    for path in all {
        browser.request(Method::GET, &get(path), None).await;
        assert_guarded(&browser.page, true);
    }
    browser.request(Method::GET, &get("/team"), None).await;
    assert_eq!(browser.page.status, StatusCode::OK, "{}", browser.text());
    ask(&mut browser, &origin, BSN, BIRTH_DATE).await;
    assert_guarded(&browser.page, true);
    browser.send("dossier-confirm", &[]).await;
    assert_guarded(&browser.page, true);
    assert_eq!(browser.page.status, StatusCode::SEE_OTHER);
    browser.follow().await;
    browser.request(Method::GET, &get("/"), None).await;
    browser.send("logout", &[]).await;
    assert_guarded(&browser.page, true);
    assert_eq!(browser.page.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.cookie("__Host-portal-session"), None);
}

#[tokio::test]
async fn t35_every_form_of_ours_answers_with_303_and_none_works_without_its_token() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (anna, carla) = with_dossier(&world, "full").await;
        let mut waiting = carla.clone();
        let open = request(&mut waiting, &world.portal_origin, BSN, BIRTH_DATE).await;
        let mut anna_at_idp = anna.clone();
        anna_at_idp.open(&format!("{}/account", world.issuer)).await;
        assert_eq!(anna_at_idp.page.status, StatusCode::OK);

        let idp = [
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
            "/account/devices/forget",
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
            "/account/delete",
            "/session/extend",
            "/desk/search",
            "/desk/accounts/new",
            "/desk/accounts/P_jtDsxVtO5kTwSkd6PHBg/block",
        ];
        let section = format!("/dossiers/{DOSSIER}/this-is-me");
        let withdraw = format!("{open}/withdraw");
        let activate = format!("{open}/activate");
        let portal = [
            "/logout",
            "/session/extend",
            "/request",
            "/request/overview",
            &section,
            &withdraw,
            &activate,
            "/team/links/x/code",
            "/team/links/x/end",
        ];
        let targets = idp.iter().map(|path| format!("{}{path}", world.issuer));
        let targets: Vec<String> =
            targets.chain(portal.iter().map(|path| format!("{}{path}", world.portal_origin))).collect();
        let foreign_token = {
            let mut stranger = world.browser();
            stranger.open(&format!("{}/register", world.issuer)).await;
            let (_, fields) = stranger.form_of("register-submit");
            fields.into_iter().find(|(name, _)| name == "csrf").unwrap().1
        };
        for target in targets {
            let url = Url::parse(&target).unwrap();
            for token in [None, Some(""), Some("x"), Some(foreign_token.as_str())] {
                let form: Vec<_> =
                    token.map(|token| ("csrf".to_owned(), token.to_owned())).into_iter().collect();
                let mut browser = if target.contains("/team") { carla.clone() } else { anna.clone() };
                browser.request(Method::POST, &url, Some(&form)).await;
                assert_eq!(browser.page.status, StatusCode::FORBIDDEN, "{target} with {token:?}");
                assert_guarded(&browser.page, false);
            }
        }
        // A right token that a page of another site sends, as far as the browser says so.
        let mut browser = anna.clone();
        browser.open(&format!("{}/request", world.portal_origin)).await;
        browser.extra_headers.push(("sec-fetch-site", "cross-site".into()));
        browser.send("request-submit", &[]).await;
        assert_eq!(browser.page.status, StatusCode::FORBIDDEN);

        // With the token they work, and what redirects does so with 303.
        let mut browser = anna.clone();
        browser.open(&format!("{}/dossiers/{DOSSIER}/this-is-me", world.portal_origin)).await;
        browser.send("text", &[("text", "Ik drink graag thee")]).await;
        assert_eq!(browser.page.status, StatusCode::SEE_OTHER);
        browser.open(&format!("{}/account", world.issuer)).await;
        browser.send("signout", &[]).await;
        assert!(browser.page.status == StatusCode::SEE_OTHER || browser.has("logged-out-page"));
        at_portal(&world, &mut browser, &Person::ANNA, "/").await;
    }
}
