//! The way back to a portal in a real browser, for portals whose callback sends the person on to another origin. Chromium
//! stops such a redirect where the form that began it may not lead there.

use std::time::Duration;

use axum::extract::{Form, Query, State};
use axum::response::{Html, Redirect};
use axum::routing::get;
use idp::config::Client;
use platform::config::Secret;
use platform::language::Language;
use tests::{Backend, Chromium, Look, Person, RelyingParty, World};
use tokio::net::TcpListener;
use url::Url;

type Pairs = Vec<(String, String)>;

/// A portal of which one host signs people in and another one welcomes them.
struct TwoHosts {
    login: String,
    www: String,
}

/// From the callback on to the other host, with what the callback was told.
fn on(www: &str, how: &str, answer: &Pairs) -> Redirect {
    let said = answer.iter().find(|(name, _)| name == "code" || name == "error");
    let said = said.map_or("nothing", |(name, value)| if name == "code" { name } else { value });
    Redirect::to(&format!("{www}/welcome?{how}={said}"))
}

impl TwoHosts {
    async fn start() -> Self {
        let login = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let www = TcpListener::bind(("127.0.0.2", 0)).await.unwrap();
        let hosts = Self {
            login: format!("http://{}", login.local_addr().unwrap()),
            www: format!("http://{}", www.local_addr().unwrap()),
        };
        let from_get =
            async |State(www): State<String>, Query(answer): Query<Pairs>| on(&www, "get", &answer);
        let from_post =
            async |State(www): State<String>, Form(answer): Form<Pairs>| on(&www, "post", &answer);
        let bye = async |State(www): State<String>| Redirect::to(&format!("{www}/welcome?bye"));
        // A form for signing out at the provider, of the portal or of anybody.
        let foreign = async |Query(fields): Query<Pairs>| {
            let (action, fields) = fields.split_first().unwrap();
            let input = |(name, value): &(String, String)| format!("<input name='{name}' value='{value}'>");
            let fields: String = fields.iter().map(input).collect();
            Html(format!("<form method='post' action='{}'>{fields}<button>Uit</button></form>", action.1))
        };
        let router = axum::Router::new()
            .route("/cb", get(from_get).post(from_post))
            .route("/foreign", get(foreign))
            .route("/bye", get(bye))
            .with_state(hosts.www.clone());
        tokio::spawn(async move { axum::serve(login, router).await });
        let welcome = async || Html("<h1 id='welcome'>Welkom</h1>");
        let router = axum::Router::new().route("/welcome", get(welcome));
        tokio::spawn(async move { axum::serve(www, router).await });
        hosts
    }

    fn client(&self, client_id: &str, consent: bool) -> Client {
        Client {
            client_id: client_id.into(),
            client_secret: Some(Secret::Literal("web-secret".into())),
            redirect_uris: vec![format!("{}/cb", self.login)],
            post_logout_redirect_uris: vec![format!("{}/bye", self.login)],
            consent,
            ..Client::default()
        }
    }

    fn relying_party(&self, world: &World, client_id: &str) -> RelyingParty {
        let redirect_uri = format!("{}/cb", self.login);
        RelyingParty { redirect_uri, ..RelyingParty::new(&world.issuer, client_id, Some("web-secret")) }
    }

    /// The person sees the host that welcomes, which was told `said`.
    async fn welcomes(&self, browser: &Chromium, said: &str) {
        browser.find("#welcome").await;
        assert_eq!(browser.url().await, format!("{}/welcome?{said}", self.www));
    }
}

/// A page of the portal with a form for `/logout`, and what it sends.
fn foreign_form(hosts: &TwoHosts, world: &World, fields: &[(&str, &str)]) -> String {
    let action = format!("{}/logout", world.issuer);
    let fields = [&[("action", action.as_str())], fields].concat();
    Url::parse_with_params(&format!("{}/foreign", hosts.login), fields).unwrap().into()
}

/// A request for a sign-in anew, a moment later.
fn anew(world: &World, portal: &RelyingParty, changes: &[(&str, &str)]) -> String {
    world.advance(Duration::from_secs(1));
    portal.authorize_url(&[&[("prompt", "login")], changes].concat())
}

async fn give_password(browser: &Chromium) {
    browser.write("#email", Person::ANNA.email).await;
    browser.write("#password", Person::ANNA.password).await;
    browser.send("#login-submit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_sends_people_on_from_its_callback() {
    for scripts in [true, false] {
        let hosts = TwoHosts::start().await;
        let clients = vec![hosts.client("apart", false), hosts.client("asks-consent", true)];
        let world = World::with_clients(Backend::Embedded, clients).await;
        world.add(&Person::ANNA).await;
        let browser = Chromium::start(Look { language: Language::Nl, phone: true, scripts }).await;
        let portal = hosts.relying_party(&world, "apart");

        // The last form is that of the code, then that of the password.
        browser.open(&portal.authorize_url(&[])).await;
        give_password(&browser).await;
        let code = world.code(Person::ANNA.phone).await;
        browser.write("#otp", &code).await;
        browser.send("#otp-submit").await;
        hosts.welcomes(&browser, "get=code").await;
        browser.open(&anew(&world, &portal, &[])).await;
        give_password(&browser).await;
        hosts.welcomes(&browser, "get=code").await;

        // The last form is a refusal: of the sign-in, of the consent; then the consent.
        browser.open(&anew(&world, &portal, &[])).await;
        browser.send("#login-cancel").await;
        hosts.welcomes(&browser, "get=access_denied").await;
        let other = hosts.relying_party(&world, "asks-consent");
        for (button, said) in [("#consent-deny", "get=access_denied"), ("#consent-allow", "get=code")] {
            browser.open(&other.authorize_url(&[])).await;
            browser.send(button).await;
            hosts.welcomes(&browser, said).await;
        }

        // The answer is a form itself, which a script sends, or a button.
        browser.open(&anew(&world, &portal, &[("response_mode", "form_post")])).await;
        give_password(&browser).await;
        if !scripts {
            browser.send("#form-post button").await;
        }
        hosts.welcomes(&browser, "post=code").await;
        browser.assert_quiet().await;
    }
}

/// `SameSite` keeps the cookies from a form of another site; the question comes all the same, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_asks_before_it_signs_anybody_out() {
    for scripts in [true, false] {
        let hosts = TwoHosts::start().await;
        let world = World::with_clients(Backend::Embedded, vec![hosts.client("apart", false)]).await;
        world.add(&Person::ANNA).await;
        let browser = Chromium::start(Look { language: Language::Nl, phone: false, scripts }).await;
        let portal = hosts.relying_party(&world, "apart");
        browser.open(&portal.authorize_url(&[])).await;
        give_password(&browser).await;
        let code = world.code(Person::ANNA.phone).await;
        browser.write("#otp", &code).await;
        browser.send("#otp-submit").await;
        hosts.welcomes(&browser, "get=code").await;

        browser.open(&foreign_form(&hosts, &world, &[])).await;
        browser.send("button").await;
        browser.find("#logout-confirm").await;
        browser.open(&portal.authorize_url(&[("prompt", "none")])).await;
        hosts.welcomes(&browser, "get=code").await;

        // The portal asks, without an ID token: after the answer it gets the person back, on its other host.
        let bye = format!("{}/bye", hosts.login);
        let fields = [("client_id", "apart"), ("post_logout_redirect_uri", bye.as_str()), ("state", "s")];
        browser.open(&foreign_form(&hosts, &world, &fields)).await;
        browser.send("button").await;
        browser.send("#logout-confirm").await;
        hosts.welcomes(&browser, "bye").await;
        browser.open(&portal.authorize_url(&[("prompt", "none")])).await;
        hosts.welcomes(&browser, "get=login_required").await;
        browser.open(&foreign_form(&hosts, &world, &[])).await;
        browser.send("button").await;
        let text = browser.text().await;
        assert!(text.contains("U bent niet ingelogd") && !text.contains("U bent uitgelogd"), "{text}");
        browser.assert_quiet().await;
    }
}
