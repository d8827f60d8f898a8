//! The portal against the real provider, a story a file.

mod access;
mod phone;
mod request;
mod secrets;
mod sessions;

use sqlx::Row as _;
use tests::World;

use crate::care::DOSSIER;

/// The lines of the access log of the dossier, newest last: who, what, how it ended.
async fn looks(world: &World) -> Vec<(String, String, String)> {
    let rows = sqlx::query(
        "SELECT person_name, section, outcome FROM access_log WHERE dossier_id = $1 ORDER BY at, id",
    )
    .bind(DOSSIER)
    .fetch_all(world.portal.db.pool())
    .await
    .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}
