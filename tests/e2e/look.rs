//! Portals on one identity provider: each with its own colour, logo and languages, on every page it leads to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use idp::config::Config;
use platform::language::Language;
use reqwest::{Method, StatusCode};
use scraper::{Html, Selector};
use tests::{Backend, Browser, Chromium, Look, Page, Person, RelyingParty, World};
use url::Url;

const PLUM: &str = "#7a1f5c";
const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 120 40\">\
    <style>circle { fill: #7a1f5c }</style><circle cx=\"20\" cy=\"20\" r=\"18\"/>\
    <path d=\"M48 32 62 8l14 24zM84 8h32v24H84z\" fill=\"#d9822b\"/></svg>";
/// One dot.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// The first portal has a PNG, the second one a colour and an SVG of its own.
fn dressed(config: &mut Config) {
    let folder = config.path.parent().unwrap().to_owned();
    std::fs::write(folder.join("tests.svg"), SVG).unwrap();
    std::fs::write(folder.join("first.png"), STANDARD.decode(PNG).unwrap()).unwrap();
    config.portals[0].brand.logo = Some("first.png".into());
    config.portals[1].brand.logo = Some("tests.svg".into());
    config.portals[1].brand.color = PLUM.into();
}

/// The value of an attribute of the first element that matches.
fn attribute(page: &Page, css: &str, name: &str) -> Option<String> {
    let html = Html::parse_document(&page.body);
    let element = html.select(&Selector::parse(css).unwrap()).next()?;
    element.attr(name).map(str::to_owned)
}

/// What the browser loads at an address of the page that it shows.
async fn loaded(browser: &Browser, address: &str) -> Page {
    let mut other = browser.clone();
    let url = browser.page.url.join(address).unwrap();
    other.request(Method::GET, &url, None).await.clone()
}

/// The colour of the page that is shown.
async fn color(browser: &Browser) -> String {
    let sheet =
        attribute(&browser.page, "link[rel=stylesheet][href^='/brand/']", "href").expect("a style sheet");
    let sheet = loaded(browser, &sheet).await;
    assert_eq!(sheet.headers["content-type"], "text/css; charset=utf-8");
    assert_eq!(sheet.headers["cache-control"], "public, max-age=31536000, immutable");
    sheet.body
}

#[tokio::test]
async fn each_portal_wears_its_own_look_on_every_page_it_leads_to() {
    let world = World::with(Backend::Embedded, dressed).await;
    world.add(&Person::ANNA).await;
    let (first, tests) = (world.idp.config.portals[0].brand.clone(), world.relying_party());
    let mut browser = world.browser();

    // Nobody led here: the first portal.
    for path in ["/", "/nowhere", "/signin", "/authorize?client_id=nobody"] {
        browser.open(&format!("{}{path}", world.issuer)).await;
        assert!(color(&browser).await.contains(&first.color), "{path}");
        assert!(browser.text().contains(&first.name), "{path}");
    }

    // The second portal, from its sign-in page to the answer by form post.
    let broken = tests.authorize_url(&[("redirect_uri", "http://127.0.0.1:9999/other")]);
    browser.open(&broken).await;
    assert_eq!(browser.page.status, StatusCode::BAD_REQUEST);
    assert!(color(&browser).await.contains(PLUM), "a mistake of that portal's");
    browser.open(&tests.authorize_url(&[("response_mode", "form_post")])).await;
    assert!(color(&browser).await.contains(PLUM) && browser.has("login-page"));
    let logo = attribute(&browser.page, ".brand img", "src").expect("a logo");
    assert_eq!(attribute(&browser.page, ".brand img", "alt").as_deref(), Some(""), "the name says it");
    assert!(browser.text().contains("Testportaal"));
    browser.open("/register").await;
    assert!(color(&browser).await.contains(&first.color), "without a sign-in there is no portal to tell");
    browser.open(&tests.authorize_url(&[("response_mode", "form_post")])).await;
    let register = attribute(&browser.page, "a[href^='/register']", "href").unwrap();
    let forgot = attribute(&browser.page, "a[href^='/forgot']", "href").unwrap();
    for page in [register, forgot] {
        let mut other = browser.clone();
        other.open(&page).await;
        assert!(color(&other).await.contains(PLUM), "{page}");
    }
    browser.give_password(&Person::ANNA).await;
    assert!(color(&browser).await.contains(PLUM) && browser.has("otp"));
    browser.give_code(&world, &Person::ANNA).await;
    assert!(browser.has("form-post"), "{}", browser.text());
    assert!(color(&browser).await.contains(PLUM), "the page that carries the answer");
    assert_eq!(attribute(&browser.page, ".brand img", "src"), Some(logo.clone()));

    // The logo as a file: kept under its mark, harmless by itself.
    let picture = loaded(&browser, &logo).await;
    assert_eq!((picture.status, picture.body.as_str()), (StatusCode::OK, SVG));
    let header = |name: &str| picture.headers[name].to_str().unwrap();
    assert_eq!(header("content-type"), "image/svg+xml");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header("content-security-policy"), "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    for path in
        ["/brand/nobody.css", "/brand/tests/logo.png", "/brand/tests", "/brand/tests.css/x", "/brand.css"]
    {
        assert_eq!(loaded(&browser, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_portal_itself_has_its_logo_too() {
    let world = World::with(Backend::Embedded, dressed).await;
    let mut browser = world.browser();
    browser.open(&world.portal_origin).await;
    assert!(color(&browser).await.contains(&world.idp.config.portals[0].brand.color));
    let logo = attribute(&browser.page, ".brand img", "src").expect("a logo");
    let picture = loaded(&browser, &logo).await;
    assert_eq!(picture.status, StatusCode::OK);
    assert_eq!(picture.headers["content-type"], "image/png");
    assert!(picture.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
    assert!(browser.text().contains(&world.idp.config.portals[0].brand.name));
}

/// The language of the page that is shown, and whether there is a way to another one.
fn language(browser: &Browser) -> (String, bool) {
    let tag = attribute(&browser.page, "html", "lang").unwrap();
    (tag, attribute(&browser.page, ".language-switch", "class").is_some())
}

#[tokio::test]
async fn pages_are_in_a_language_of_their_portal_and_mails_in_that_of_the_account() {
    let world =
        World::with(Backend::Embedded, |config| config.portals[1].languages = vec![Language::En]).await;
    world.add(&Person::ANNA).await;
    let tests = world.relying_party();
    let mut browser = world.browser();
    let (english_only, dutch) = (("en".to_owned(), false), ("nl".to_owned(), true));

    browser.open(&tests.authorize_url(&[])).await;
    assert_eq!(language(&browser), english_only);
    assert!(browser.text().contains("Password"), "{}", browser.text());
    let mut insisting = browser.clone();
    let here = format!("{}&lang=nl", browser.page.url);
    insisting.open(&here).await;
    assert_eq!(language(&insisting), english_only, "there is no other");
    insisting.open(&world.issuer).await;
    assert_eq!(language(&insisting), dutch, "that portal has both");

    // A mail goes to a person: Anna's account is Dutch, whichever portal she forgot her password at.
    let forgot = attribute(&browser.page, "a[href^='/forgot']", "href").unwrap();
    browser.open(&forgot).await;
    assert_eq!(language(&browser), english_only);
    browser.submit("forgot-submit", &[("email", Person::ANNA.email)]).await;
    assert_eq!(language(&browser), english_only);
    let mail = world.mails(Person::ANNA.email).await.pop().unwrap();
    assert!(mail.html.contains("lang=\"nl\""), "{}", mail.html);

    // Whoever registers here reads English.
    browser.open(&tests.authorize_url(&[])).await;
    browser.open(&attribute(&browser.page, "a[href^='/register']", "href").unwrap()).await;
    let dora = [
        ("given_name", "Dora"),
        ("family_name", "de Vries"),
        ("email", "dora@example.nl"),
        ("password", "Fiets-Molen-Regen-42"),
    ];
    browser.submit("register-submit", &dora).await;
    let mail = world.mails("dora@example.nl").await.pop().unwrap();
    assert!(mail.html.contains("lang=\"en\""), "{}", mail.html);
}

#[tokio::test]
async fn who_prefers_no_language_of_a_portal_gets_its_first_one() {
    let both = vec![Language::En, Language::Nl];
    let world = World::with(Backend::Embedded, |config| config.portals[1].languages = both).await;
    let tests = RelyingParty::new(&world.issuer, "web", Some("web-secret"));
    for (accepted, shown) in [("de-DE, fr;q=0.5", "en"), ("nl", "nl"), ("en", "en")] {
        let mut browser = world.browser();
        browser.extra_headers = vec![("accept-language", accepted.into())];
        browser.open(&tests.authorize_url(&[])).await;
        assert_eq!(language(&browser), (shown.to_owned(), true), "{accepted}");
    }
}

#[tokio::test]
async fn a_server_with_a_logo_that_is_not_there_does_not_start() {
    let world = World::new(Backend::Embedded).await;
    let mut config = world.idp.config.clone();
    config.portals[1].brand.logo = Some("none.svg".into());
    let error = config.registry().unwrap_err().to_string();
    assert!(error.contains("idp.toml: portal.brand.logo of tests = none.svg: "), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logo_stands_beside_the_name_on_a_phone_and_at_a_desk() {
    let world = World::with(Backend::Embedded, |config| {
        dressed(config);
        config.portals[0].brand.logo = Some("tests.svg".into());
        config.portals[1].languages = vec![Language::Nl];
    })
    .await;
    let tests = world.relying_party();
    for (phone, start) in [(true, 160), (false, 165)] {
        let mut browser = Chromium::start(Look { language: Language::Nl, phone, scripts: true }).await;
        browser.start_pictures_at(start);
        browser.open(&tests.authorize_url(&[])).await;
        browser.look("look-sign-in", "#login-page").await;
        let width = "return document.querySelector('.brand img').naturalWidth";
        let width = browser.tab.execute(width, Vec::new()).await.unwrap().convert::<u32>().unwrap();
        assert!(width > 0, "the logo is shown");
        browser.open(&world.portal_origin).await;
        browser.look("look-portal", ".brand img").await;
        let url = Url::parse(&browser.url().await).unwrap();
        assert_eq!(url.path(), "/");
    }
}
