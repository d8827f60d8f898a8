//! No page is wider than a small phone, whatever words stand in it and however far apart its letters are; and what a
//! page says is there on paper and in the colours of the system too.

use platform::language::Language;
use serde_json::{Value, json};
use tests::{Backend, Chromium, Look, Person, World};

use crate::care::{BIRTH_DATE, BSN, DOSSIER, ask, at_portal, request, with_dossier};

const LONG: &str = "Zorggroepsamenwerkingsverbandenoverlegvertegenwoordiging";
const HENDRIKA: Person = Person {
    email: "hendrika.wilhelmina.vandenbroekhovenlangeweide@zorggroepsamenwerkingsverbandvertegenwoordiging.example.nl",
    password: "Fiets-Molen-Regen-42",
    phone: "+31612121212",
};

/// The widths of small phones, in CSS pixels.
const WIDTHS: [u32; 2] = [320, 360];

/// Letters, words and lines as far apart as somebody may set them (WCAG 2.2 success criterion 1.4.12), all that is folded
/// open, and then: how wide the content is, how wide the page, and what sticks out.
const MEASURE: &str = "
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }'
      + ' p { margin-bottom: 2em !important }');
    document.adoptedStyleSheets = arguments[0] ? [sheet] : [];
    for (const folded of document.querySelectorAll('details')) folded.open = true;
    const root = document.documentElement;
    const sticksOut = (part) => part.getBoundingClientRect().right > root.clientWidth + 0.5 && !part.closest('.scroll');
    const wide = [...document.querySelectorAll('body *')].filter(sticksOut).slice(0, 4);
    return [root.scrollWidth, root.clientWidth, ...wide.map((part) => part.outerHTML.slice(0, 150))];";

async fn assert_fits(browser: &Chromium) {
    for width in WIDTHS {
        let screen = json!({ "width": width, "height": 780, "deviceScaleFactor": 1, "mobile": false });
        browser.tab.cdp().send_raw("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
        for spaced in [false, true] {
            let found = browser.tab.execute(MEASURE, vec![json!(spaced)]).await.unwrap().json().clone();
            let at = format!("{} at {width} px, spaced: {spaced}: {found}", browser.url().await);
            assert!(found[0].as_u64().unwrap() <= found[1].as_u64().unwrap(), "{at}");
            assert_eq!(found.as_array().unwrap().len(), 2, "{at}");
        }
    }
}

async fn all_fit(browser: &Chromium, origin: &str, paths: &[&str]) {
    for path in paths {
        browser.open(&format!("{origin}{path}")).await;
        assert_fits(browser).await;
    }
}

async fn sign_in(browser: &Chromium, world: &World, person: &Person, url: &str) {
    browser.open(url).await;
    assert_fits(browser).await;
    browser.write("#email", person.email).await;
    browser.write("#password", person.password).await;
    browser.send("#login-submit").await;
    browser.find("#otp").await;
    assert_fits(browser).await;
    browser.write("#otp", "000000").await;
    browser.send("#otp-submit").await;
    assert_fits(browser).await;
    browser.write("#otp", &world.code(person.phone).await).await;
    browser.send("#otp-submit").await;
}

async fn long_world() -> World {
    World::with(Backend::Embedded, |config| {
        let brand = &mut config.portals[0].brand;
        brand.name = LONG.into();
        brand.helpdesk.text_nl = format!("Vraag het aan {LONG}.");
        brand.helpdesk.phone = "0800 0000 0000 0000 0000".into();
        brand.helpdesk.email = format!("helpdesk@{}.example.nl", LONG.to_lowercase());
        brand.helpdesk.hours_nl = LONG.into();
        config.desk.self_registered = vec![Person::CARLA.email.into()];
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_the_provider_is_wider_than_a_small_phone() {
    for language in [Language::Nl, Language::En] {
        let world = long_world().await;
        world.add(&HENDRIKA).await;
        world.add(&Person::CARLA).await;
        let browser = Chromium::start(Look { language, phone: false, scripts: true }).await;
        let (issuer, portal) = (&world.issuer, &world.portal_origin);
        all_fit(&browser, issuer, &["/", "/register", "/forgot", "/nowhere", "/authorize", "/dev/outbox"])
            .await;
        for (path, button) in [("/register", "#register-submit"), ("/forgot", "#forgot-submit")] {
            browser.open(&format!("{issuer}{path}")).await;
            browser.write("#email", if path == "/register" { "x" } else { HENDRIKA.email }).await;
            browser.send(button).await;
            assert_fits(&browser).await;
        }
        sign_in(&browser, &world, &HENDRIKA, &format!("{portal}/login")).await;
        let own = ["/account", "/account/email", "/account/phone", "/account/password", "/account/delete"];
        all_fit(&browser, issuer, &own).await;
        all_fit(&browser, issuer, &["/desk", "/logout"]).await;

        let staff = Chromium::start(Look { language, phone: false, scripts: true }).await;
        sign_in(&staff, &world, &Person::CARLA, &format!("{issuer}/desk")).await;
        let page = crate::desk::page_of(&world, &HENDRIKA).await;
        let act = |name: &str| format!("{page}/{name}");
        let pages = [page.clone(), act("email"), act("phone"), act("block")];
        let pages: Vec<&str> =
            ["/desk", "/desk/accounts/new"].into_iter().chain(pages.iter().map(String::as_str)).collect();
        all_fit(&staff, issuer, &pages).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_the_portal_is_wider_than_a_small_phone() {
    let world = long_world().await;
    world.add(&HENDRIKA).await;
    let (mut anna, _) = with_dossier(&world, "full").await;
    for (section, typed) in [("this-is-me", LONG), ("reports", LONG)] {
        crate::care::section(&world, &mut anna, section).await;
        anna.submit("text", &[("text", typed)]).await;
    }
    crate::care::section(&world, &mut anna, "appointments").await;
    anna.submit("title", &[("title", LONG), ("date", "3-12-2026"), ("time", "9:30")]).await;
    ask(&mut anna, &world.portal_origin, BSN, BIRTH_DATE).await;
    let overview = anna.page.url.clone();
    let link = request(&mut anna, &world.portal_origin, BSN, BIRTH_DATE).await;
    let mut hendrika = world.browser();
    at_portal(&world, &mut hendrika, &HENDRIKA, "/").await;
    let theirs = request(&mut hendrika, &world.portal_origin, BSN, BIRTH_DATE).await;

    let portal = &world.portal_origin;
    for language in [Language::Nl, Language::En] {
        let browser = Chromium::start(Look { language, phone: false, scripts: true }).await;
        all_fit(&browser, portal, &["/", "/nowhere", "/signed-out?why=idle"]).await;
        sign_in(&browser, &world, &Person::ANNA, &format!("{portal}/login")).await;
        let sent = format!("{link}/sent");
        let overview = format!("{}?{}", overview.path(), overview.query().unwrap_or_default());
        all_fit(&browser, portal, &["/", "/?done=saved", "/request", &link, &sent, &overview]).await;
        for section in [
            "home",
            "this-is-me",
            "my-life",
            "appointments",
            "medical",
            "documents",
            "reports",
            "care-plan",
            "access",
            "views",
        ] {
            all_fit(&browser, portal, &[&format!("/dossiers/{DOSSIER}/{section}")]).await;
        }
        browser.open(&format!("{portal}/request")).await;
        browser.send("#request-submit").await;
        assert_fits(&browser).await;

        let staff = Chromium::start(Look { language, phone: false, scripts: true }).await;
        sign_in(&staff, &world, &Person::CARLA, &format!("{portal}/team")).await;
        let link = theirs.trim_start_matches("/requests/");
        all_fit(&staff, portal, &["/team", &format!("/team/links/{link}"), "/logout"]).await;
        staff.open(&format!("{portal}/team/links/{link}")).await;
        staff.send("#team-issue").await;
        assert_fits(&staff).await;
    }
}

async fn told(browser: &Chromium, script: &str) -> Value {
    browser.tab.execute(script, Vec::new()).await.unwrap().json().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn paper_shows_the_whole_care_plan_and_the_systems_colours_every_step() {
    let world = World::new(Backend::Embedded).await;
    with_dossier(&world, "full").await;
    for scripts in [true, false] {
        let browser = Chromium::start(Look { language: Language::En, phone: false, scripts }).await;
        sign_in(&browser, &world, &Person::ANNA, &format!("{}/login", world.portal_origin)).await;

        // What is Dutch says so on a page that is not.
        browser.open(&format!("{}/dossiers/{DOSSIER}/care-plan", world.portal_origin)).await;
        let dutch = "return [...document.querySelectorAll('details.card p, details.card li, summary strong')]
            .every((part) => part.closest('[lang]').lang === 'nl') && document.documentElement.lang === 'en'";
        assert_eq!(told(&browser, dutch).await, json!(true));
        let shown = "return [...document.querySelectorAll('details.card p')]
            .filter((part) => !part.checkVisibility()).length";
        assert!(told(&browser, shown).await.as_u64().unwrap() > 0, "folded away on the screen");
        let media = |media: &str, colors: &str| json!({ "media": media, "features": [{ "name": "forced-colors", "value": colors }] });
        let cdp = browser.tab.cdp();
        cdp.send_raw("Emulation.setEmulatedMedia", media("print", "none")).await.unwrap();
        assert_eq!(told(&browser, shown).await, json!(0), "on paper");

        browser.open(&format!("{}/request", world.portal_origin)).await;
        cdp.send_raw("Emulation.setEmulatedMedia", media("", "active")).await.unwrap();
        let steps =
            "return [...document.querySelectorAll('.steps-bar span')].map((step) => getComputedStyle(step))
            .map((style) => [style.borderTopStyle, style.backgroundColor])";
        let steps = told(&browser, steps).await;
        assert_eq!((&steps[0][0], &steps[1][0]), (&json!("solid"), &json!("solid")), "{steps}");
        assert_ne!(steps[0][1], steps[1][1], "the step that is done looks otherwise: {steps}");
    }
}
