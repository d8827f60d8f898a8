//! `docs/consequences.md` says what the table says; and rules that hold for every row.

use std::fmt::Write as _;
use std::path::Path;

use super::table::{Change, Ends, Row, Tells};
use crate::app::notices::Mail;
use crate::store::mail_links::Purpose;

fn words(change: Change) -> &'static str {
    match change {
        Change::PasswordChanged => "The holder changes the password",
        Change::PasswordReset => "The holder sets a new password with a mail",
        Change::PasswordReplaced => "The holder replaces a temporary password",
        Change::PhoneEnrolled => "The holder gives a number in a sign-in that asks for one",
        Change::PhoneAdded => "The holder adds a number on the account page",
        Change::PhoneChanged => "The holder changes the number",
        Change::EmailChanged => "The holder changes the address",
        Change::DevicesForgotten => "The holder forgets a device, or all",
        Change::SessionEnded => "The holder ends a session",
        Change::ConsentWithdrawn => "The holder takes back what a client was let have",
        Change::Deleted => "The holder deletes the account",
        Change::AppEnrolled => "The holder connects an app in a sign-in that asks for one",
        Change::AppAdded => "The holder connects an app on the account page, or another one",
        Change::AppRemoved => "The holder takes the app away",
        Change::RecoveryCodesMade => "The holder makes recovery codes",
        Change::PasskeyEnrolled => "The holder makes a passkey in a sign-in that asks for one",
        Change::PasskeyAdded => "The holder makes a passkey on the account page",
        Change::PasskeyRemoved => "The holder takes a passkey away",
        Change::DeskPhoneAdded => "The care team adds a number",
        Change::DeskPhoneChanged => "The care team changes the number",
        Change::DeskEmailChanged => "The care team changes the address",
        Change::DeskSessionsEnded => "The care team ends the sessions",
        Change::DeskBlocked => "The care team blocks the account",
        Change::DeskUnblocked => "The care team lifts the block",
        Change::DeskUnlocked => "The care team lifts a lock",
        Change::DeskInvitedAgain => "The care team sends the mail of the start again",
        Change::FactorsRemoved => {
            "The care team, or an operator, takes app, passkeys and recovery codes away"
        }
        Change::PhoneRemoved => "An operator takes the number away",
    }
}

fn ended(end: Ends) -> String {
    match end {
        Ends::Sessions => "sessions".into(),
        Ends::OtherSessions => "the other sessions".into(),
        Ends::Devices => "known devices".into(),
        Ends::Links(Purpose::Confirm) => "links that confirm".into(),
        Ends::Links(Purpose::Reset) => "links for a new password".into(),
        Ends::Links(Purpose::EmailChange) => "links to a new address".into(),
        Ends::Lockout => "locks".into(),
        Ends::Consent => "the client's tokens".into(),
    }
}

fn told(tell: &Tells) -> String {
    match tell {
        Tells::Address(mail) => format!("address (`{}`)", mail.template()),
        Tells::NewAddress(mail) => format!("new address (`{}`)", mail.template()),
        Tells::OldNumber(template) => format!("old number (`{template}`)"),
    }
}

fn printed() -> String {
    let mut text = "# What a change ends, tells and writes down\n\n\
        Printed from `idp/src/effects/table.rs`; `UPDATE_DOCS=1 cargo test -p idp effects` writes it anew. A session ends \
        with its grants, codes and refresh\ntokens, and every portal of it gets a logout token. What is told stands below \
        `templates/mail` and `templates/sms`.\n\n\
        | Change | Ends | Tells | Writes down |\n|---|---|---|---|\n"
        .to_owned();
    for change in Change::ALL {
        let Row { event, ends, tells } = change.row();
        let list = |items: Vec<String>| if items.is_empty() { "-".to_owned() } else { items.join(", ") };
        let (ends, tells) =
            (list(ends.iter().copied().map(ended).collect()), list(tells.iter().map(told).collect()));
        let _ = writeln!(text, "| {} | {ends} | {tells} | `{}` |", words(change), event.as_str());
    }
    text
}

#[test]
fn the_document_says_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/consequences.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, printed()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        kept == printed(),
        "docs/consequences.md: write it anew with UPDATE_DOCS=1 cargo test -p idp effects"
    );
}

#[test]
fn whoever_loses_something_by_another_is_told_and_a_new_way_in_ends_the_old_ones() {
    for change in Change::ALL {
        let Row { ends, tells, .. } = change.row();
        let by_others = format!("{change:?}").starts_with("Desk") || change == Change::PhoneRemoved;
        if by_others && change != Change::DeskInvitedAgain {
            assert!(tells.contains(&Tells::Address(Mail::DeskNotice)), "{change:?}");
        }
        // What others set, nobody goes on with who came in by what was there before.
        let sets = matches!(
            change,
            Change::DeskPhoneAdded
                | Change::DeskPhoneChanged
                | Change::DeskEmailChanged
                | Change::PhoneRemoved
        );
        if sets || change == Change::DeskBlocked {
            for end in [Ends::Sessions, Ends::Devices, Ends::Links(Purpose::Reset)] {
                assert!(ends.contains(&end), "{change:?}: {end:?}");
            }
        }
    }
}
