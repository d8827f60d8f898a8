//! Who may be at the desk (T46), what its forms say and take, and what the list finds.

use std::time::Duration;

use idp::config::When;
use idp::domain::account::{EmailAddress, Role};
use platform::db::Query;
use reqwest::{Method, StatusCode};
use tests::{Backend, Person, World};

use crate::acts::{at_once, is_back, signed_in};
use crate::desk::{REASON, at_desk, form, give_own_password, make, open, page_of, with_temporary_passwords};
use crate::input::{IDP, storm, token, torment};

const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };

#[tokio::test]
async fn t46_the_desk_opens_to_staff_who_gave_a_code_in_this_session() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::CARLA).await;
        world.add(&Person::ANNA).await;
        let homeless = Person { email: "homeless@example.nl", phone: "+31614141414", ..DORA };
        world.add_as(&homeless, Role::CareTeam, None).await;
        make(&world, &mut at_desk(&world, &Person::CARLA).await, &DORA).await;
        let page = page_of(&world, &DORA).await;
        let paths = ["/desk", "/desk/accounts/new", &page, &format!("{page}/block")];

        // Nobody signed in: the sign-in page, and from there to what was asked for.
        for path in paths {
            let mut stranger = world.browser();
            open(&world, &mut stranger, path).await;
            assert!(stranger.has("login-page"), "{path}: {}", stranger.text());
            stranger.sign_in(&world, &Person::CARLA).await;
            assert_eq!(stranger.page.url.path(), path);
            assert_eq!(stranger.page.status, 200, "{}", stranger.text());
        }

        // A user, and staff of no organisation: a page that says who may.
        for person in [&Person::ANNA, &homeless] {
            let mut browser = signed_in(&world, person).await;
            for path in paths {
                open(&world, &mut browser, path).await;
                assert_eq!(browser.page.status, 403, "{path}: {}", browser.text());
                assert!(browser.text().contains("voor het zorgteam"), "{}", browser.text());
                assert!(!browser.page.body.contains("dora"), "{path}");
            }
        }

        // A known device makes the code unnecessary at the portal, and not here.
        let mut carla = signed_in(&world, &Person::CARLA).await;
        carla.close();
        carla.open(&world.relying_party().authorize_url(&[])).await;
        carla.give_password(&Person::CARLA).await;
        assert!(is_back(&carla), "{}", carla.text());
        world.advance(Duration::from_secs(1));
        open(&world, &mut carla, "/desk").await;
        assert!(carla.has("login-page"), "{}", carla.text());
        carla.give_password(&Person::CARLA).await;
        assert!(carla.has("otp"), "{}", carla.text());
        carla.give_code(&world, &Person::CARLA).await;
        assert!(carla.has("desk-new"), "{}", carla.text());

        // A quarter of an hour later she may look, and what changes something asks who she is.
        open(&world, &mut carla, &format!("{page}/block")).await;
        let mut late = carla.clone();
        world.advance(Duration::from_mins(15));
        open(&world, &mut carla, &page).await;
        assert_eq!(carla.page.status, 200);
        open(&world, &mut carla, "/desk/accounts/new").await;
        assert!(carla.has("login-page"), "{}", carla.text());
        late.submit("desk-submit", &[("reason", REASON)]).await;
        assert!(late.has("login-page"), "{}", late.text());
        assert!(world.account(&DORA).await.blocked_at.is_none());

        // What she had filled in is there again for her, and for nobody else.
        late.give_password(&Person::CARLA).await;
        late.give_code(&world, &Person::CARLA).await;
        assert!(late.text().contains("U was te lang weg; uw tekst staat er nog"), "{}", late.text());
        assert!(late.page.body.contains(&format!("value=\"{REASON}\"")), "{}", late.page.body);
        assert!(world.account(&DORA).await.blocked_at.is_none(), "she has not sent it again yet");
        let kept = late.page.url.query().unwrap().to_owned();
        late.submit("desk-submit", &[]).await;
        assert!(world.account(&DORA).await.blocked_at.is_some(), "{}", late.text());
        world.add(&Person::DIRK).await;
        let mut dirk = at_desk(&world, &Person::DIRK).await;
        open(&world, &mut dirk, &format!("/desk/accounts/new?{kept}")).await;
        assert!(dirk.has("desk-create") && !dirk.text().contains("opnieuw inloggen"), "{}", dirk.text());
        assert!(!dirk.page.body.contains(&format!("value=\"{REASON}\"")), "{}", dirk.page.body);
    }
}

#[tokio::test]
async fn t46_organisations_do_not_see_each_other_and_staff_not_themselves() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            let clients = config.portals.iter_mut().flat_map(|portal| &mut portal.clients);
            clients
                .filter(|client| client.client_id == "web")
                .for_each(|client| client.scope.push_str(" care_team"));
        })
        .await;
        let carla_id = world.add(&Person::CARLA).await.id;
        let colleague = Person { email: "cor@example.nl", phone: "+31614141414", ..DORA };
        let colleague_id = world.add_as(&colleague, Role::CareTeam, Some("zonnehof")).await.id;
        world.add(&Person::DIRK).await;
        let registered = world.add(&Person::ANNA).await.id;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        make(&world, &mut carla, &DORA).await;
        let page = page_of(&world, &DORA).await;
        open(&world, &mut carla, &format!("{page}/block")).await;
        let (_, fields) = carla.form_of("desk-submit");

        // Dirk's list is empty, whatever he searches for; her page is not there for him.
        let mut dirk = at_desk(&world, &Person::DIRK).await;
        for search in ["", "dora", "%", "_", "' OR 1=1 --"] {
            open(&world, &mut dirk, "/desk").await;
            dirk.submit("desk-search", &[("search", search)]).await;
            assert_eq!(dirk.page.status, 200, "{}", dirk.text());
            assert!(!dirk.page.body.contains(DORA.email), "{search}: {}", dirk.text());
            assert!(!dirk.page.url.as_str().contains("dora"), "{}", dirk.page.url);
        }
        let not_there = [(&mut dirk, page.clone()), (&mut carla, format!("/desk/accounts/{}", carla_id.0))];
        for (browser, page) in not_there {
            for path in ["", "/block", "/email", "/unlock"] {
                open(&world, browser, &format!("{page}{path}")).await;
                assert_eq!(browser.page.status, 404, "{path}: {}", browser.text());
            }
        }
        for id in [&carla_id, &colleague_id, &registered] {
            open(&world, &mut carla, &format!("/desk/accounts/{}", id.0)).await;
            assert_eq!(carla.page.status, 404, "{}", carla.text());
        }
        // Nor by a form of their own making.
        open(&world, &mut dirk, "/desk").await;
        let csrf = dirk.form_of("desk-search").1.into_iter().find(|(name, _)| name == "csrf").unwrap();
        let mut forged: Vec<_> = fields.into_iter().filter(|(name, _)| name != "csrf").collect();
        forged.retain(|(name, _)| name != "reason");
        forged.extend([csrf, ("reason".to_owned(), REASON.to_owned())]);
        let url = format!("{}{page}/block", world.issuer).parse().unwrap();
        assert_eq!(dirk.request(Method::POST, &url, Some(&forged)).await.status, 404);
        assert!(world.account(&DORA).await.blocked_at.is_none());

        // He is not told whose an address is, only that he can do nothing with it.
        for taken in [&DORA, &Person::ANNA, &Person::CARLA, &Person::DIRK] {
            make(&world, &mut dirk, taken).await;
            assert_eq!(dirk.page.status, 422);
            let text = dirk.text();
            assert!(
                text.contains("kunnen wij geen account maken") && text.contains("de beheerder"),
                "{text}"
            );
            assert!(!text.contains("Bekijk dat account") && !text.contains("heeft al een account"), "{text}");
        }
        // Her own team is shown the way to it.
        world.advance(Duration::from_mins(2));
        make(&world, &mut carla, &DORA).await;
        assert!(carla.text().contains("Uw organisatie heeft al een account"), "{}", carla.text());
        assert!(carla.page.body.contains(&format!("href=\"{page}\"")), "{}", carla.page.body);

        // No portal learns from a user's tokens whose care team made the account.
        give_own_password(&world, &DORA).await;
        let client = world.relying_party();
        for (person, organisation) in [(&DORA, None), (&Person::CARLA, Some("zonnehof"))] {
            let mut browser = world.browser();
            browser.open(&client.authorize_url(&[("scope", "openid profile email care_team")])).await;
            browser.sign_in(&world, person).await;
            let code = client.answered(&browser, "code").unwrap();
            let tokens: serde_json::Value = client.redeem(&code).await.json().await.unwrap();
            let claims = client.userinfo(tokens["access_token"].as_str().unwrap()).await;
            let claims: serde_json::Value = claims.json().await.unwrap();
            assert_eq!(claims["care_organisation"].as_str(), organisation, "{claims}");
            assert_eq!(claims["care_role"].is_null(), organisation.is_none(), "{claims}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_clicks_make_one_account_and_a_day_has_its_limit() {
    for backend in Backend::ALL {
        let world = World::with(backend, with_temporary_passwords).await;
        let staff = world.add(&Person::CARLA).await;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        open(&world, &mut carla, "/desk/accounts/new").await;
        let clicks = at_once(vec![carla.clone(); 3], "desk-create", |_| form(&DORA)).await;
        for click in &clicks {
            assert!(click.text().contains("Het account is gemaakt"), "{}", click.text());
        }
        assert_eq!(world.mails(DORA.email).await.len(), 1);

        // A registration that nobody confirmed keeps no address from its owner; a user name that is in use does.
        let eva = Person { email: "eva@example.nl", phone: "+31613131313", ..DORA };
        open(&world, &mut carla, "/desk/accounts/new").await;
        let mut typed = form(&eva);
        typed.retain(|(name, _)| *name != "username");
        typed.push(("username", "DORA".into()));
        let typed: Vec<(&str, &str)> = typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        carla.submit("desk-create", &typed).await;
        assert!(carla.text().contains("Deze gebruikersnaam is niet vrij"), "{}", carla.text());
        assert!(carla.page.body.contains("value=\"DORA\""), "what was typed stands there still");

        let day = Duration::from_hours(24);
        for _ in 0..100 {
            let key = format!("desk-accounts:{}", staff.id.0);
            world.idp.ephemeral.count(&key, day).await.unwrap();
        }
        make(&world, &mut carla, &eva).await;
        assert_eq!(carla.page.status, 429, "{}", carla.text());
        let email = EmailAddress::parse(eva.email).unwrap();
        assert!(world.idp.store.account_by_email(&email).await.unwrap().is_none());
        world.advance(day);
        make(&world, &mut at_desk(&world, &Person::CARLA).await, &eva).await;
        assert!(world.idp.store.account_by_email(&email).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn the_form_says_what_is_wrong_and_the_list_finds_people() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            with_temporary_passwords(config);
            for portal in &mut config.portals {
                portal.policy = idp::config::SignInPolicy {
                    second_factor: When::Never.into(),
                    ..idp::config::SignInPolicy::default()
                };
            }
        })
        .await;
        world.add(&Person::CARLA).await;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        open(&world, &mut carla, "/desk/accounts/new").await;
        let wrong = [
            ("given_name", "<b>"),
            ("family_name", ""),
            ("email", "dora@"),
            ("username", "d v"),
            ("phone", "020-1234567"),
            ("reason", "bel 06-12345678"),
        ];
        carla.submit("desk-create", &wrong).await;
        assert_eq!(carla.page.status, 422);
        for says in [
            "Vul een e",
            "Vul een gebruikersnaam in van 3 tot 64 tekens",
            "Vul een Nederlands mobiel nummer in",
            "In deze reden staat een lang nummer",
        ] {
            assert!(carla.text().contains(says), "{says}: {}", carla.text());
        }
        // Where no portal asks for codes, a phone is not needed.
        let ozlem = Person { email: "ozlem@example.nl", phone: "", ..DORA };
        make(&world, &mut carla, &ozlem).await;
        assert!(carla.text().contains("Het account is gemaakt"), "{}", carla.text());
        // As the version before wrote it: what it is found by comes with the next clean-up.
        let sql =
            "UPDATE accounts SET given_name = 'Özlem', search_name = NULL WHERE email = 'ozlem@example.nl'";
        world.idp.store.db().execute(Query::new(sql)).await.unwrap();
        idp::operators::jobs::clean_up(&world.idp).await.unwrap();
        for number in 1..=60 {
            let email = format!("user-{number:02}@example.nl").leak();
            make(&world, &mut carla, &Person { email, phone: "", ..DORA }).await;
        }
        for (search, finds) in [
            ("özlem", true),
            ("ÖZLEM", true),
            ("ozlem", true),
            ("O\u{308}zlem de", true),
            ("Özlem de V", true),
            ("OZLEM@", true),
            ("user", false),
            ("%", false),
            ("niemand", false),
        ] {
            open(&world, &mut carla, "/desk").await;
            carla.submit("desk-search", &[("search", search)]).await;
            assert_eq!(carla.text().contains("ozlem@example.nl"), finds, "{search}: {}", carla.text());
        }
        // Everybody stands on one page of the list.
        let mut seen = std::collections::BTreeSet::new();
        open(&world, &mut carla, "/desk").await;
        loop {
            let text = carla.text();
            seen.extend(
                text.split_whitespace().filter(|word| word.contains("@example.nl")).map(str::to_owned),
            );
            if !carla.has("page-next") {
                break;
            }
            let next = format!("{}?page=2", carla.page.url.path());
            carla.open(&next).await;
            assert!(carla.has("page-previous"));
        }
        assert!(seen.len() >= 61, "{}", seen.len());
    }
}

#[tokio::test]
async fn every_form_of_the_desk_takes_any_input() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            with_temporary_passwords(config);
            config.limits.mails_per_account_per_day = 0;
        })
        .await;
        world.add(&Person::CARLA).await;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        let csrf = token(&mut carla, &format!("{}/desk", world.issuer), "desk-search").await;
        let desk: Vec<&str> = IDP.iter().copied().filter(|path| path.starts_with("/desk")).collect();
        storm(&world.issuer, &desk, &carla, &csrf).await;
        open(&world, &mut carla, "/desk").await;
        torment(&carla, "desk-search").await;
        open(&world, &mut carla, "/desk/accounts/new").await;
        torment(&carla, "desk-create").await;
        make(&world, &mut carla, &Person::BRAM).await;
        let page = page_of(&world, &Person::BRAM).await;
        for act in ["mail", "phone", "email", "unlock", "sessions", "block", "unblock"] {
            open(&world, &mut carla, &format!("{page}/{act}")).await;
            torment(&carla, "desk-submit").await;
        }
        open(&world, &mut carla, &page).await;
        assert_eq!(carla.page.status, StatusCode::OK, "{}", carla.text());
        assert!(!carla.page.body.contains("<script>alert(1)"));
    }
}
