//! Every page from its samples, in every language.

use std::sync::Arc;

use axum::http::Uri;
use platform::cookies::CookieRules;
use platform::csrf::Csrf;
use platform::ending::Ending;
use platform::language::Language;
use platform::look::{Brand, Look};
use platform::pages::Pages;
use platform::random::Random;
use platform::request::{Front, RequestContext};
use platform::seal::RootKey;
use serde_json::{Value, json};

use super::{Framed, Shell, failure, home, request, sign_out, team, team_link};

fn visit(language: Language) -> RequestContext {
    let root = RootKey::new("0123456789abcdef0123456789abcdef").unwrap();
    let front = Front {
        cookies: CookieRules { secure: true },
        csrf: Csrf::new(&root),
        random: Random::seeded(1),
        default_language: Language::Nl,
        trusted_proxies: Vec::new(),
    };
    RequestContext {
        ending: None,
        request_id: String::new(),
        address: [127, 0, 0, 1].into(),
        language,
        language_known: true,
        language_chosen: true,
        browser: "b".into(),
        browser_is_new: false,
        headers: Arc::default(),
        uri: Uri::from_static("/"),
        front: Arc::new(front),
    }
}

fn samples() -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = super::dossier::samples();
    let messages = failure::Message::samples();
    all.extend(messages.iter().map(|message| (failure::Message::TEMPLATE.to_owned(), json!(message))));
    let listed = [
        home::Welcome::samples(),
        home::Home::samples(),
        request::samples(),
        super::activate::Activate::samples(),
        sign_out::SignedOut::samples(),
        team::Desk::samples(),
        team_link::TeamLink::samples(),
    ];
    all.extend(listed.into_iter().flatten().map(|(template, page)| (template.to_owned(), page)));
    all
}

#[test]
fn every_page_renders_from_its_samples_in_both_languages() {
    let pages = Pages::load(None).unwrap();
    let samples = samples();
    let brand = Brand::default();
    let after = "/signed-out?why=idle";
    let ending = Ending { ends_in: 900, can_extend: true, warn: 120, idle_minutes: 15, after };
    let look = Look { id: "portal", brand: &brand, languages: &[], logo: None };
    for language in Language::ALL {
        for (template, body) in &samples {
            for signed_in in [false, true] {
                let shell = Shell { signed_in, person: "<b>Piet</b>".into(), ..Shell::default() };
                let html = pages.html(
                    &RequestContext { ending: signed_in.then_some(ending), ..visit(language) },
                    look,
                    axum::http::StatusCode::OK,
                    template,
                    &Framed { shell, body },
                );
                let html = html.unwrap_or_else(|error| panic!("{template} ({language:?}): {error}\n{body}"));
                assert!(!html.contains("<b>Piet"), "{template}: a name is escaped");
                assert_eq!(html.matches("<h1").count(), 1, "{template}: one heading");
                assert!(
                    !html.contains(" style=") && !html.contains("<script>") && !html.contains(" onclick"),
                    "{template}"
                );
                let (_, title) = html.split_once("<title>").unwrap();
                let title = title.trim_start_matches("Fout: ").trim_start_matches("Error: ");
                let (_, heading) = html.split_once("<h1").unwrap();
                let heading = heading.split_once('>').unwrap().1.split("</h1>").next().unwrap().trim();
                assert!(title.starts_with(&format!("{heading} · ")), "{template}: {heading}, {title}");
                let forms = html.matches("method=\"post\"").count();
                assert_eq!(html.matches("name=\"csrf\"").count(), forms, "{template}: a token in every form");
            }
        }
    }
    let known: Vec<&str> = pages.names().filter(|name| name.starts_with("portal/")).collect();
    for name in known {
        let is_part =
            ["base.html", "dossier.html", "components.html"].iter().any(|part| name.ends_with(part));
        assert!(is_part || samples.iter().any(|(template, _)| template == name), "{name} has no sample");
    }
}
