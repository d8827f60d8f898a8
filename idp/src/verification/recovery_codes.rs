//! Recovery codes: a set is made, and what is kept of it.

use crate::app::{App, ServiceError};
use crate::credentials::recovery_codes::RecoveryCode;

/// A new set, and what is kept of it: selectors and hashes.
pub struct Made {
    pub codes: Vec<RecoveryCode>,
    pub kept: Vec<(String, String)>,
}

/// Makes a set. It takes as long as ten passwords.
///
/// # Errors
/// [`ServiceError::Busy`]
pub async fn make(app: &App) -> Result<Made, ServiceError> {
    let codes = RecoveryCode::generate(&app.random);
    let mut kept = Vec::with_capacity(codes.len());
    for code in &codes {
        let hash = app.passwords.hash(code.secret()).await.map_err(|_| ServiceError::Busy)?;
        kept.push((code.selector().to_owned(), hash));
    }
    Ok(Made { codes, kept })
}
