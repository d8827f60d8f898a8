//! The portal against the real provider, a story a file.

mod access;
mod phone;
mod request;
mod secrets;
mod sessions;

use platform::db::Query;
use tests::World;

use crate::care::DOSSIER;

/// The lines of the access log of the dossier, newest last: who, what, how it ended.
async fn looks(world: &World) -> Vec<(String, String, String)> {
    let rows = Query::new(
        "SELECT person_name, section, outcome FROM access_log WHERE dossier_id = $1 ORDER BY at, id",
    )
    .bind(DOSSIER)
    .fetch_all(&world.portal.db)
    .await
    .unwrap();
    rows.iter()
        .map(|row| (row.try_get(0).unwrap(), row.try_get(1).unwrap(), row.try_get(2).unwrap()))
        .collect()
}
