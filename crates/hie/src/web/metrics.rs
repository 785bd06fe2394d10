//! Counters. Labels are route templates, methods, status codes and outcomes: a closed set.

use std::{collections::BTreeMap, fmt::Write as _, sync::Mutex, time::Duration};

#[derive(Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(String, String, u16), (u64, f64)>>,
    envelopes: Mutex<BTreeMap<&'static str, u64>>,
}

impl Metrics {
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(|e| e.into_inner());
        let entry = requests.entry((route.to_owned(), method.to_owned(), status)).or_default();
        entry.0 += 1;
        entry.1 += took.as_secs_f64();
    }

    pub fn envelope(&self, outcome: &'static str) {
        *self.envelopes.lock().unwrap_or_else(|e| e.into_inner()).entry(outcome).or_default() += 1;
    }

    pub fn text(&self, sockets: usize) -> String {
        let mut out = String::from(
            "# TYPE rabta_http_requests_total counter\n# TYPE rabta_http_seconds_total counter\n",
        );
        for ((route, method, status), (count, seconds)) in
            &*self.requests.lock().unwrap_or_else(|e| e.into_inner())
        {
            let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
            let _ = writeln!(out, "rabta_http_requests_total{{{labels}}} {count}");
            let _ = writeln!(out, "rabta_http_seconds_total{{{labels}}} {seconds:.6}");
        }
        out.push_str("# TYPE rabta_envelopes_total counter\n");
        for (outcome, count) in &*self.envelopes.lock().unwrap_or_else(|e| e.into_inner()) {
            let _ = writeln!(out, "rabta_envelopes_total{{outcome=\"{outcome}\"}} {count}");
        }
        let _ = writeln!(out, "# TYPE rabta_sockets gauge\nrabta_sockets {sockets}");
        out
    }
}
