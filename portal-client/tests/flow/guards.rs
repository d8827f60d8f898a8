//! What stands in front of every page.

use reqwest::StatusCode;

use crate::support::Portal;
use crate::support::provider::Who;
use crate::{BSN, UNKNOWN_BSN, ask, confirm};

#[tokio::test]
async fn t35_t43_every_page_is_guarded_and_tries_are_few() {
    let portal = Portal::start().await;
    let mut user = portal.signed_in(Who::user("marjan", "Marjan"), "/").await;
    let answer = user.client.get(format!("{}/", portal.origin)).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "no-store");
    assert!(
        header("content-security-policy").contains(&format!("form-action 'self' {}", portal.provider.issuer))
    );
    assert!(!header("content-security-policy").contains("unsafe"));

    // A form without the token, and what is no form.
    let url = format!("{}/logout", portal.origin);
    assert_eq!(
        user.client.post(&url).form(&[("a", "b")]).send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(user.client.post(&url).body("{}").send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(user.client.put(&url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    user.get("/request").await;
    for bad in ["", "\u{0}", "<script>", &"9".repeat(100_000)] {
        let fields = [("relation", bad), ("birth_date", bad), ("bsn", bad), ("organisation", bad)];
        let token = user.page.clone();
        let (status, _) = user.post("/request", &fields).await;
        assert!(status.is_client_error(), "{status}");
        assert!(!user.shows("<script>"));
        user.page = token;
    }

    // A URL that is no text gets a page, not a line of the framework.
    for path in ["/requests/%FF", "/dossiers/%C3/home", "/team/links/%80"] {
        let (status, _) = user.get(path).await;
        assert!(
            status == StatusCode::BAD_REQUEST && user.shows("Dit kunnen we niet lezen"),
            "{path}: {}",
            user.page
        );
    }

    for attempt in 1..=6 {
        ask(&mut user, if attempt % 2 == 0 { BSN } else { UNKNOWN_BSN }).await;
        let (status, _) = confirm(&mut user).await;
        let expected = if attempt <= 5 { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(status, expected, "attempt {attempt}");
    }
    portal.advance(14);
    user.get("/").await;
}
