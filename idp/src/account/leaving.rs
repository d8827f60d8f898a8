//! Whether somebody may take one of their second factors away.

use crate::app::{ServiceError, Shared};
use crate::config::{Factor, Portal, When};
use crate::domain::account::Account;
use crate::domain::factors::Factors;

/// Whether what is left of an account's second factors, once one of a kind is gone, still opens every portal of its holder
/// that what there is opens. The last one of all stays where any portal asks for one: whoever knows the password could
/// make the next.
pub(super) async fn leaves_enough(
    app: &Shared,
    account: &Account,
    kind: Factor,
    left: &Factors,
) -> Result<bool, ServiceError> {
    let asks = |portal: &&Portal| portal.policy.second_factor.when != When::Never || account.role.is_staff();
    if left.strongest().is_none() {
        return Ok(!app.registry.portals().any(|portal| asks(&portal)));
    }
    let clients = app.store.clients_of_account(&account.id).await?;
    let theirs = clients.iter().map(|(_, client)| app.registry.portal_of(Some(client)).as_ref());
    Ok(theirs.filter(asks).all(|portal| opens(portal, left) || !opens_with(portal, &account.factors, kind)))
}

/// Whether one of the kinds that a portal takes is there.
fn opens(portal: &Portal, factors: &Factors) -> bool {
    portal.policy.second_factor.methods.iter().any(|factor| factors.has(*factor))
}

/// Whether a portal takes this kind, and it is there.
fn opens_with(portal: &Portal, factors: &Factors, kind: Factor) -> bool {
    portal.policy.second_factor.methods.contains(&kind) && factors.has(kind)
}
