//! Numbers for Prometheus. Names of states and kinds alone: no machine, no token.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::record::{Record, State};

/// What is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Requests answered with each class of status: 2xx to 5xx.
    answers: [AtomicU64; 4],
    /// Boot scripts that install.
    pub installs: AtomicU64,
    /// Boot scripts that do not.
    pub locals: AtomicU64,
    /// Kickstarts handed out.
    pub kickstarts: AtomicU64,
    /// Requests for kickstarts that got none.
    pub refusals: AtomicU64,
    /// Installations reported as done.
    pub installed: AtomicU64,
    /// Installations reported as failed.
    pub failed: AtomicU64,
    /// Connections open.
    pub connections: AtomicU64,
}

/// One more.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Metrics {
    /// An answer with this status.
    pub fn answered(&self, status: u16) {
        let class = usize::from(status / 100).clamp(2, 5) - 2;
        count(&self.answers[class]);
    }

    /// The text that Prometheus reads.
    pub fn text(&self, machines: &[Record]) -> String {
        let mut out = String::new();
        let mut family = |name: &str, kind: &str, help: &str, rows: &[(String, u64)]| {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in rows {
                let _ = writeln!(out, "{name}{labels} {value}");
            }
        };
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let states: Vec<(String, u64)> = State::ALL
            .iter()
            .map(|state| {
                let n = machines.iter().filter(|record| record.state == *state).count();
                (format!("{{state=\"{}\"}}", state.word()), n as u64)
            })
            .collect();
        family("bootc_ks_machines", "gauge", "Machines by state.", &states);
        let label = |name: &str, value: &str| format!("{{{name}=\"{value}\"}}");
        let answers: Vec<(String, u64)> = ["2xx", "3xx", "4xx", "5xx"]
            .iter()
            .zip(&self.answers)
            .map(|(class, counter)| (label("status", class), get(counter)))
            .collect();
        family("bootc_ks_http_requests_total", "counter", "Requests answered, by status.", &answers);
        let scripts = [(label("boot", "install"), get(&self.installs)), (label("boot", "local"), get(&self.locals))];
        family("bootc_ks_boot_scripts_total", "counter", "Boot scripts handed out, by what they boot.", &scripts);
        let kickstarts =
            [(label("outcome", "given"), get(&self.kickstarts)), (label("outcome", "refused"), get(&self.refusals))];
        family("bootc_ks_kickstarts_total", "counter", "Requests for kickstarts.", &kickstarts);
        let ends =
            [(label("outcome", "installed"), get(&self.installed)), (label("outcome", "failed"), get(&self.failed))];
        family("bootc_ks_installations_total", "counter", "Installations that reported their end.", &ends);
        family("bootc_ks_connections", "gauge", "Connections open.", &[(String::new(), get(&self.connections))]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_every_state_and_no_machine() {
        let metrics = Metrics::default();
        metrics.answered(404);
        count(&metrics.kickstarts);
        let mut record = Record::new("secret-name", true);
        record.state = State::Installing;
        let text = metrics.text(&[record]);
        for line in [
            "bootc_ks_machines{state=\"installing\"} 1",
            "bootc_ks_machines{state=\"armed\"} 0",
            "bootc_ks_http_requests_total{status=\"4xx\"} 1",
            "bootc_ks_kickstarts_total{outcome=\"given\"} 1",
            "# TYPE bootc_ks_connections gauge",
        ] {
            assert!(text.lines().any(|have| have == line), "no `{line}` in\n{text}");
        }
        assert!(!text.contains("secret-name"));
    }
}
