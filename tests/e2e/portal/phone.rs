//! The portal on a phone, in a real browser.

use platform::language::Language;
use tests::{Backend, Chromium, Look, Person, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_of_the_care_team_stands_on_two_lines_of_a_phone() {
    let world = World::new(Backend::Embedded).await;
    world.add(&Person::CARLA).await;
    for language in [Language::Nl, Language::En] {
        let mut browser = Chromium::start(Look { language, phone: true, scripts: true }).await;
        browser.start_pictures_at(76);
        browser.open(&format!("{}/team", world.portal_origin)).await;
        browser.write("#email", Person::CARLA.email).await;
        browser.write("#password", Person::CARLA.password).await;
        browser.send("#login-submit").await;
        browser.write("#otp", &world.code(Person::CARLA.phone).await).await;
        browser.send("#otp-submit").await;
        browser.look("team-menu", ".site-nav #logout").await;
        let heights = "return [...document.querySelectorAll('.site-nav a, .site-nav button')]
             .map(link => Math.round(link.getBoundingClientRect().top))";
        let tops = browser.tab.execute(heights, Vec::new()).await.unwrap();
        let tops: Vec<i64> = serde_json::from_value(tops.json().clone()).unwrap();
        let [one, two, three, four] = tops[..] else { panic!("{language:?}: {tops:?}") };
        assert!(one == two && three == four && one < three, "{language:?}: {tops:?}");
        // A minute later, so that the next code may be sent.
        world.advance(std::time::Duration::from_mins(2));
    }
}
