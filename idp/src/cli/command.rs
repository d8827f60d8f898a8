//! What all commands have in common: where their configuration is, how they end and how they print rows.

use std::path::PathBuf;

use serde::Serialize;

/// How a command ends; the error is for whoever typed it.
pub(super) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Where a command finds its configuration, and how it answers.
#[derive(Debug, clap::Args)]
pub(super) struct At {
    /// The configuration file.
    #[arg(long, default_value = "idp.toml")]
    pub config: PathBuf,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Prints rows as a table whose columns line up, or as JSON.
pub(super) fn print_rows<T: Serialize>(rows: &[T], json: bool, cells: impl Fn(&T) -> Vec<String>) -> Outcome {
    if json {
        println!("{}", serde_json::to_string_pretty(rows)?);
        return Ok(());
    }
    let table: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            table.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    for row in table {
        let line: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", line.join("  ").trim_end());
    }
    Ok(())
}
