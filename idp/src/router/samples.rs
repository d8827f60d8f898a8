//! Every page and every message, rendered from its sample in every language: a template that asks for what
//! is not there, or for a text that nobody translated, fails here.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use platform::cookies::CookieRules;
use platform::csrf::Csrf;
use platform::language::Language;
use platform::look::{Brand, Helpdesk, Look};
use platform::pages::Pages;
use platform::random::Random;
use platform::request::{Front, RequestContext};
use platform::seal::RootKey;
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::notices::{Mail, Notice};
use crate::credentials::temporary::TemporaryPassword;

fn visit(language: Language) -> RequestContext {
    let root = RootKey::new("0123456789abcdef0123456789abcdef").unwrap();
    let front = Front {
        cookies: CookieRules { secure: true },
        csrf: Csrf::new(&root),
        random: Random::seeded(1),
        default_language: language,
        trusted_proxies: Vec::new(),
    };
    RequestContext {
        address: IpAddr::from([127, 0, 0, 1]),
        language,
        language_known: true,
        language_chosen: true,
        browser: "browser".into(),
        browser_is_new: false,
        headers: Arc::default(),
        uri: "/signin/password?journey=x".parse().unwrap(),
        ending: None,
        request_id: "r".into(),
        front: Arc::new(front),
    }
}

fn brand() -> Brand {
    let helpdesk =
        Helpdesk { phone: "085 000 00 00".into(), text_nl: "Bel ons.".into(), ..Helpdesk::default() };
    Brand { helpdesk, ..Brand::default() }
}

fn look(brand: &Brand) -> Look<'_> {
    Look { id: "p", brand, languages: &[], logo: None }
}

fn samples() -> Vec<(&'static str, Value)> {
    fn page(name: &'static str, sample: impl Serialize) -> (&'static str, Value) {
        (name, serde_json::to_value(sample).unwrap())
    }
    let [made_codes, useless_codes] = crate::account::recovery_codes::RecoveryCodesPage::other_samples();
    let [over, closed] = crate::signin::code::CodePage::other_samples();
    vec![
        page("signin_code", over),
        page("signin_code", closed),
        page("signin_password", crate::signin::password::PasswordPage::sample()),
        page("signin_new_password", crate::signin::new_password::NewPasswordPage::sample()),
        page("signin_phone", crate::signin::phone::PhonePage::sample()),
        page("signin_code", crate::signin::code::CodePage::sample()),
        page("signin_passkey", crate::signin::passkey::PasskeyPage::sample()),
        page("signin_new_passkey", crate::signin::new_passkey::NewPasskeyPage::sample()),
        page("account_passkeys", crate::account::passkeys::PasskeysPage::sample()),
        page("signin_app", crate::signin::app::AppPage::sample()),
        page("signin_recovery_code", crate::signin::recovery_code::RecoveryCodePage::sample()),
        page("new_app", crate::signin::new_app::NewAppPage::sample()),
        page("account_app", crate::account::app::AppPage::sample()),
        page("account_recovery_codes", crate::account::recovery_codes::RecoveryCodesPage::sample()),
        page("account_recovery_codes", made_codes),
        page("account_recovery_codes", useless_codes),
        page("signin_terms", crate::signin::terms::TermsPage::sample()),
        page("signin_consent", crate::signin::consent::ConsentPage::sample()),
        page("register", crate::signin::register::RegisterPage::sample()),
        page("mail_sent", crate::verification::mail_codes::page::WaitingPage::sample()),
        page("confirm", crate::signin::register::confirm::ConfirmPage::sample()),
        page("forgot", crate::signin::recover::ForgotPage::sample()),
        page("reset", crate::signin::recover::ResetPage::sample()),
        page("message", crate::http::error::MessagePage::sample()),
        page("error", crate::http::pages::ErrorPage::sample()),
        page("logout", crate::oauth::logout::LogoutPage::sample()),
        page("logged_out", crate::oauth::logout::LoggedOutPage::sample()),
        page("form_post", crate::flow::answer::FormPostPage::sample()),
        page("session_ended", crate::account::session::EndedPage::sample()),
        page("account", crate::account::AccountPage::sample()),
        page("account_email", crate::account::email::EmailPage::sample()),
        page("account_phone", crate::account::phone::PhonePage::sample()),
        page("account_password", crate::account::password::PasswordPage::sample()),
        page("account_download", crate::account::leave::DownloadPage::sample()),
        page("account_delete", crate::account::leave::DeletePage::sample()),
        page("desk", crate::desk::DeskPage::sample()),
        page("desk_create", crate::desk::create::CreatePage::sample()),
        page("desk_account", crate::desk::member::MemberPage::sample()),
        page("desk_act", crate::desk::act::ActPage::sample()),
        page("home", crate::router::HomePage::sample()),
        page("outbox", crate::operators::dev::OutboxPage::sample()),
    ]
}

#[test]
fn every_page_renders_in_every_language() {
    let pages = Pages::load(None).unwrap();
    for (name, sample) in samples() {
        for language in Language::ALL {
            let html = pages
                .html(&visit(language), look(&brand()), StatusCode::OK, &format!("idp/{name}.html"), &sample)
                .unwrap();
            assert!(html.contains(&format!("<html lang=\"{}\"", language.tag())), "{name}");
            assert!(html.contains("<h1"), "{name}");
        }
    }
}

#[test]
fn the_title_of_every_page_is_its_heading() {
    let pages = Pages::load(None).unwrap();
    for (name, sample) in samples() {
        for language in Language::ALL {
            let html = pages.html(
                &visit(language),
                look(&brand()),
                StatusCode::OK,
                &format!("idp/{name}.html"),
                &sample,
            );
            let html = html.unwrap();
            let between = |start: &str, end: &str| {
                let rest = html.split(start).nth(1).unwrap();
                rest.split_once('>').unwrap().1.split(end).next().unwrap().trim().to_owned()
            };
            let (title, heading) = (between("<title", "</title"), between("<h1", "</h1"));
            let title = title.rsplit_once(" · ").unwrap().0;
            let title = title.trim_start_matches("Fout: ").trim_start_matches("Error: ");
            assert_eq!(title, heading, "{name}");
        }
    }
}

#[test]
fn every_form_that_sets_a_password_names_the_account() {
    let pages = Pages::load(None).unwrap();
    let mut seen = 0;
    for (name, sample) in samples() {
        let template = format!("idp/{name}.html");
        let html =
            pages.html(&visit(Language::Nl), look(&brand()), StatusCode::OK, &template, &sample).unwrap();
        for form in html.split("<form").skip(1).filter(|form| form.contains("autocomplete=\"new-password\""))
        {
            let named =
                form.split("autocomplete=\"username\"").next().unwrap().rsplit("<input").next().unwrap();
            let is_named = form.contains("autocomplete=\"username\"") && !named.contains("value=\"\"");
            assert!(is_named, "{name}: {form}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn no_template_of_this_server_is_without_a_sample() {
    let pages = Pages::load(None).unwrap();
    let with_sample: BTreeSet<String> =
        samples().iter().map(|(name, _)| format!("idp/{name}.html")).collect();
    let all: BTreeSet<String> = pages
        .names()
        .filter(|name| name.starts_with("idp/") && !name.ends_with("components.html"))
        .map(str::to_owned)
        .collect();
    assert_eq!(all, with_sample);
}

#[test]
fn every_error_that_a_handler_names_has_a_text_in_every_language() {
    let keys = [
        "signin-error",
        "phone-empty",
        "phone-not-dutch-mobile",
        "code-empty",
        "code-malformed",
        "code-wrong",
        "code-ended",
        "code-expired",
        "code-elsewhere",
        "code-limit-sent",
        "code-limit-wrong",
        "sms-unavailable",
        "email-same",
        "phone-same",
        "password-same",
        "current-password-wrong",
        "delete-wrong",
        "resend-too-soon",
        "resend-limit",
        "mail-code-wrong",
        "email-invalid",
        "given-name-missing",
        "family-name-missing",
        "password-too-short",
        "password-too-long",
        "password-common",
        "password-weak",
        "password-contains-you",
        "password-classes",
        "notice-confirmed",
        "notice-confirm-with-password",
        "register-sent-lead",
        "register-sent-elsewhere",
        "forgot-sent-lead",
        "email-sent-lead",
        "notice-password-changed",
        "notice-signed-out",
        "desk-reason-missing",
        "desk-reason-long",
        "desk-reason-number",
        "desk-email-taken",
        "desk-email-taken-here",
        "desk-username-invalid",
        "desk-username-taken",
        "desk-phone-missing",
        "desk-language-missing",
    ];
    let messages = [
        "journey-expired",
        "link-invalid",
        "not-found",
        "too-many",
        "no-desk",
        "desk-limit",
        "page-too-old",
        "deleted",
        "bad-form",
        "busy",
        "server-error",
    ];
    let messages = messages.iter().flat_map(|name| [format!("{name}-title"), format!("{name}-text")]);
    for key in keys.iter().map(|key| (*key).to_owned()).chain(messages) {
        let values = ["min", "tries", "digits", "minutes", "email"].map(|name| (name, "5".to_owned()));
        for language in Language::ALL {
            assert!(language.text(&key, &values).is_some(), "{key} in {}", language.tag());
        }
    }
}

#[test]
fn every_template_escapes_what_people_typed() {
    fn poison(value: &mut Value) {
        match value {
            Value::String(text) if text.contains(' ') || text.contains('@') => {
                *text = "<script>alert(1)</script>".into();
            }
            Value::Array(list) => list.iter_mut().for_each(poison),
            Value::Object(map) => map.values_mut().for_each(poison),
            _ => {}
        }
    }
    let pages = Pages::load(None).unwrap();
    for (name, mut sample) in samples() {
        poison(&mut sample);
        let html = pages
            .html(&visit(Language::Nl), look(&brand()), StatusCode::OK, &format!("idp/{name}.html"), &sample)
            .unwrap();
        assert!(!html.contains("<script>alert(1)"), "{name}");
    }
}

#[test]
fn every_mail_and_sms_renders_in_every_language() {
    let pages = Pages::load(None).unwrap();
    let notice = Notice {
        name: "Anna".into(),
        link: "https://login.example/confirm?token=abc".into(),
        code: "1234 5678".into(),
        minutes: 60,
        when: "22-11-2026 19:04".into(),
        until: "22-11-2026 19:34".into(),
        device: "Chrome, Android".into(),
        portal_name: "Portaal".into(),
        forgot_link: "https://login.example/forgot".into(),
        account_link: "https://login.example/account".into(),
        username: "abakker".into(),
        password: Some(TemporaryPassword::generate(&Random::seeded(1))),
        event: "event-unlocked".into(),
        left: 3,
        few: true,
    };
    for language in Language::ALL {
        for mail in Mail::ALL {
            for ending in ["subject.txt", "txt", "html"] {
                let template = format!("mail/{}.{ending}", mail.template());
                let text = pages.message(language, &brand(), &template, &notice).unwrap();
                assert!(!text.trim().is_empty(), "{template}");
                if ending == "subject.txt" {
                    assert!(!text.contains("Anna") && !text.contains("1234"), "{template}: {text}");
                }
            }
        }
        let code = json!({ "code": "123456", "host": "login.example" });
        let sms = pages.message(language, &brand(), "sms/code.txt", &code).unwrap();
        for template in ["sms/phone_changed.txt", "sms/phone_removed.txt"] {
            let told = pages.message(language, &brand(), template, &Notice::default()).unwrap();
            assert!(!told.to_lowercase().contains("zorg") && !told.to_lowercase().contains("care"), "{told}");
        }
        // The origin-bound line stands last, so that browsers fill the code in on this site only.
        assert_eq!(sms.lines().last(), Some("@login.example #123456"));
        assert!(!sms.to_lowercase().contains("zorg") && !sms.to_lowercase().contains("care"), "{sms}");
    }
}

#[test]
fn everything_that_the_desk_can_do_has_its_texts() {
    use crate::desk::act::Act;
    let acts = Act::ALL.map(Act::word);
    let pages =
        acts.iter().flat_map(|act| ["title", "lead", "submit"].map(|part| format!("desk-act-{act}-{part}")));
    let notices = acts.iter().chain(&["create"]).map(|word| format!("desk-notice-{word}"));
    let states = ["invited", "mail-spent", "active", "locked", "codes-locked", "blocked"];
    let states = states.iter().flat_map(|state| ["state", "help"].map(|part| format!("desk-{part}-{state}")));
    for key in pages.chain(notices).chain(states) {
        let values = ["name", "email"].map(|name| (name, "x".to_owned()));
        for language in Language::ALL {
            assert!(language.text(&key, &values).is_some(), "{key} in {}", language.tag());
        }
    }
}
