//! `idp config check | example`

use std::path::Path;

use platform::check::{self, Good, Place};
use platform::clock::Clock;

use super::command::{At, Outcome};
use crate::app::parts::Parts;
use crate::config::Config;

/// Does what a start does up to the first thing that it would change.
pub(super) async fn check(at: &At, offline: bool) -> Outcome {
    look(&at.config, offline).await?.print(&at.config, at.json);
    Ok(())
}

async fn look(path: &Path, offline: bool) -> Result<Good, Box<dyn std::error::Error>> {
    let config = Config::load(path)?;
    let parts = Parts::new(&config, &Clock::system())?;
    check::can_listen(Place::new(path, "listen"), config.listen)?;
    if let Some(at) = config.metrics_listen {
        check::can_listen(Place::new(path, "metrics_listen"), at)?;
    }
    if !offline {
        check::postgres_answers(Place::new(path, "database"), &config.database).await?;
        if config.ephemeral != "database" {
            check::redis_answers(Place::new(path, "ephemeral"), &config.ephemeral).await?;
        }
    }
    let (portals, clients) = (config.portals.len(), parts.registry.clients().count());
    Ok(Good { summary: format!("{portals} portals, {clients} clients"), warnings: config.warnings() })
}

pub(super) fn example(as_json: bool) -> Outcome {
    if as_json {
        println!("{}", serde_json::to_string_pretty(&Config::example_json()?)?);
    } else {
        print!("{}", Config::example()?);
    }
    Ok(())
}
