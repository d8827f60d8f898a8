//! Putting a backup back: looked at first, in one step, and nothing of before comes through.

use std::fs;

use tests::Person;

use crate::data::{Operator, mode};
use crate::operations::start;

/// A database with Anna in it, and a backup of it.
fn with_backup() -> Operator {
    let operator = Operator::new();
    assert!(operator.create(&Person::ANNA).ok);
    let ran = operator.run("backup --to ../good.db");
    assert!(ran.ok && ran.out.contains("accounts 1"), "{ran:?}");
    operator
}

#[tokio::test]
async fn t59_nothing_of_the_database_before_comes_into_a_restored_one() {
    let operator = with_backup();
    // After the backup comes Bram, and kill -9: he stands in the log alone.
    let (mut child, _log) = start("idp", &operator.config()).await;
    assert!(operator.create(&Person::BRAM).ok);
    let in_use = operator.run("restore --from ../good.db");
    assert!(!in_use.ok && in_use.err.contains("stop the servers first"), "{in_use:?}");
    child.kill().await.unwrap();
    let wal = operator.file("idp.db-wal");
    assert!(fs::metadata(&wal).unwrap().len() > 0);

    // Once with the database where it was, once with the log alone, as somebody leaves it who moves the database away.
    for moved_away in [false, true] {
        if moved_away {
            fs::remove_file(operator.file("idp.db")).unwrap();
            fs::write(&wal, "the log of a database that is not here").unwrap();
        }
        let ran = operator.run("restore --from ../good.db");
        assert!(ran.ok && ran.out.contains("restored") && ran.out.contains("accounts 1"), "{ran:?}");
        assert!(ran.err.contains("schema"), "{ran:?}");
        assert_eq!(operator.accounts(), 1);
        assert_eq!(mode(&operator.file("idp.db")), 0o600);
        assert!(!wal.exists());
        let (mut child, _log) = start("idp", &operator.config()).await;
        child.kill().await.unwrap();
        assert_eq!(operator.accounts(), 1);
    }

    // What was there is there yet, under a name with the date, and with its log it is whole.
    let kept =
        operator.files().into_iter().find(|name| name.contains(".before-") && name.ends_with('Z')).unwrap();
    operator.configure(&format!("sqlite:{kept}"), "root.key");
    assert_eq!(operator.accounts(), 2);
}

#[test]
fn a_refused_restore_says_why_and_leaves_everything_as_it_was() {
    let operator = with_backup();
    assert!(operator.create(&Person::BRAM).ok);
    let good = fs::read(operator.file("good.db")).unwrap();
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle - 8_192..middle + 8_192].fill(0xab);
    fs::write(operator.file("damaged.db"), &damaged).unwrap();
    fs::write(operator.file("half.db"), &good[..good.len() / 2]).unwrap();
    fs::write(operator.file("end.db"), &good[good.len() / 2..]).unwrap();
    fs::write(operator.file("empty.db"), "").unwrap();
    // A backup of the database of another root key, and a database of another program.
    operator.configure("sqlite:other.db", "wrong.key");
    assert!(operator.create(&Person::CARLA).ok);
    assert!(operator.run("backup --to ../foreign.db").ok);
    operator.configure("sqlite:idp.db", "root.key");

    let before = (operator.files(), fs::read(operator.file("idp.db")).unwrap());
    for (from, why) in [
        ("missing.db", "there is no database"),
        ("empty.db", "this file is empty"),
        ("half.db", "this is a part of a database"),
        ("end.db", "not an SQLite database"),
        ("damaged.db", "damaged"),
        ("foreign.db", "secrets.root is not the root key"),
        ("idp.db", "this is the database itself"),
    ] {
        let ran = operator.run(&format!("restore --from ../{from}"));
        assert!(!ran.ok && ran.err.contains(why), "{from}: {ran:?}");
        assert_eq!((operator.files(), fs::read(operator.file("idp.db")).unwrap()), before, "{from}");
    }
    assert_eq!(operator.accounts(), 2);

    // A backup that cannot be made leaves nothing either, and overwrites nothing.
    for to in ["nowhere/copy.db", "../good.db"] {
        assert!(!operator.run(&format!("backup --to {to}")).ok, "{to}");
    }
    assert_eq!(operator.files(), before.0);
    assert_eq!(fs::read(operator.file("good.db")).unwrap(), good);
}
