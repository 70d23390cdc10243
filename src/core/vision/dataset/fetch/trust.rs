//! Which authorities may vouch for a server.

use crate::vision::dataset::error::DataError;
use ureq::tls::{Certificate, RootCerts};

/// Variables that name the certificates to trust in the place of the system's.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The authorities that the system trusts, or those that `SSL_CERT_FILE` or `SSL_CERT_DIR` names; where the system has none, as in
/// small containers, those of Mozilla that the program brings.
///
/// # Errors
/// One of the variables is set, and there is no certificate where it says.
pub(super) fn trusted() -> Result<RootCerts, DataError> {
    let found = rustls_native_certs::load_native_certs();
    for trouble in &found.errors {
        log::debug!("certificates of the system: {trouble}");
    }
    if !found.certs.is_empty() {
        return Ok(found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).into());
    }
    let set = |name: &&str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some((name, value)) = VARIABLES.iter().find_map(|name| Some((name, set(name)?))) {
        let reason =
            found.errors.first().map_or_else(String::new, |trouble| format!(" ({trouble})").replace('\n', " "));
        return Err(DataError::Option(format!(
            "{name}: no certificate in {}{reason}; certificates in PEM form are expected, or the variable unset",
            value.display()
        )));
    }
    log::info!("the system has no certificates; those of Mozilla are trusted");
    Ok(RootCerts::WebPki)
}
