//! Asks an environment's URL whether it answers.

use std::time::Duration;

/// What came back from a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It answered with this status in the 200s.
    Healthy(u16),
    /// It answered with another status.
    Unhealthy(u16),
    /// It did not answer.
    Silent(String),
}

/// Asks once, for at most three seconds.
pub(crate) fn probe(url: &str) -> Health {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(3)))
        .http_status_as_error(false)
        // Every hosting that there is answers on this machine's loopback, where the user's proxy does not lead.
        .proxy(None)
        .build();
    match ureq::Agent::new_with_config(config).get(url).call() {
        Ok(response) if response.status().is_success() => {
            Health::Healthy(response.status().as_u16())
        }
        Ok(response) => Health::Unhealthy(response.status().as_u16()),
        Err(error) => Health::Silent(error.to_string()),
    }
}
