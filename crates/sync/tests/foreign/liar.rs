//! A small FHIR server that keeps what it is sent, and lies where a test wants it to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A request, as far as tests look at it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Below the base; with its query.
    pub path: String,
    pub body: String,
    pub token: Option<String>,
}

impl Request {
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    /// A search of this type, by either method, or a later page of one.
    pub fn searches(&self, kind: &str) -> bool {
        self.path.starts_with(&format!("{kind}/_search")) || self.path.starts_with(&format!("{kind}?"))
    }
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    pub fn outcome(status: u16, words: &str) -> Self {
        let issue = json!([{ "severity": "error", "code": "processing", "diagnostics": words }]);
        Self::new(status, json!({ "resourceType": "OperationOutcome", "issue": issue }))
    }

    pub fn packed(coding: &str, body: Vec<u8>) -> Self {
        Self { status: 200, headers: vec![("content-encoding", coding.to_owned())], body }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("an honest body is JSON")
    }
}

/// What is kept: each resource with its version and when it came.
#[derive(Debug, Default)]
pub struct Kept {
    pub resources: BTreeMap<String, (u64, Value)>,
    pub seen: Vec<Request>,
    clock: u64,
    pub no_transactions: bool,
}

/// What a test says to a request: an answer of its own, nothing (the line breaks before or after the server acted), or the
/// honest answer, changed.
pub enum Say {
    Honest,
    Instead(Reply),
    /// The request never arrives.
    LostRequest,
    /// The server does it; the answer never arrives.
    LostAnswer,
    Changed(Box<dyn Fn(Reply) -> Reply + Send>),
}

type Script = dyn Fn(&Request) -> Say + Send + Sync;

pub struct Liar {
    pub base: String,
    pub kept: Arc<Mutex<Kept>>,
    script: Arc<Mutex<Arc<Script>>>,
}

impl Liar {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}/fhir", listener.local_addr().expect("its address"));
        let kept = Arc::new(Mutex::new(Kept::default()));
        let script: Arc<Mutex<Arc<Script>>> = Arc::new(Mutex::new(Arc::new(|_: &Request| Say::Honest)));
        let liar = Self { base: base.clone(), kept: kept.clone(), script: script.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, script, base) = (kept.clone(), script.clone(), base.clone());
                tokio::spawn(async move { serve(stream, &base, &kept, &script).await });
            }
        });
        liar
    }

    /// From now on.
    pub fn says(&self, script: impl Fn(&Request) -> Say + Send + Sync + 'static) {
        *self.script.lock().expect("no test panics with it") = Arc::new(script);
    }

    pub fn is_honest(&self) {
        self.says(|_| Say::Honest);
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut Kept) -> T) -> T {
        look(&mut self.kept.lock().expect("no test panics with it"))
    }

    /// Somebody over there writes.
    pub fn write(&self, resource: Value) {
        self.with(|kept| kept.put(resource));
    }

    pub fn version(&self, reference: &str) -> u64 {
        self.with(|kept| kept.resources.get(reference).map_or(0, |(version, _)| *version))
    }
}

async fn serve(stream: TcpStream, base: &str, kept: &Mutex<Kept>, script: &Mutex<Arc<Script>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let script = script.lock().expect("no test panics with it").clone();
        let say = script(&request);
        let honest = || {
            let mut kept = kept.lock().expect("no test panics with it");
            kept.seen.push(request.clone());
            kept.answer(base, &request)
        };
        let reply = match say {
            Say::Honest => honest(),
            Say::Changed(change) => change(honest()),
            Say::Instead(reply) => reply,
            Say::LostRequest => return,
            Say::LostAnswer => {
                honest();
                return;
            }
        };
        let mut head = format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
        head += "content-type: application/fhir+json\r\ndate: Mon, 23 Nov 2026 10:00:00 GMT\r\n";
        for (name, value) in &reply.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        // At once: two writes would wait for each other's acknowledgement.
        if stream.write_all(&[head.as_bytes(), &reply.body].concat()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut token) = (0, None);
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => token = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let path = target.strip_prefix("/fhir")?.trim_start_matches('/').to_owned();
    Some(Request { method, path, body: String::from_utf8(body).ok()?, token })
}

const KINDS: [&str; 11] = [
    "Patient",
    "Observation",
    "Encounter",
    "Condition",
    "Composition",
    "Provenance",
    "Binary",
    "Practitioner",
    "Organization",
    "Device",
    "Task",
];

impl Kept {
    fn put(&mut self, mut resource: Value) -> (u64, bool) {
        self.clock += 1;
        let reference = format!(
            "{}/{}",
            resource["resourceType"].as_str().expect("a type"),
            resource["id"].as_str().expect("an id")
        );
        let version = self.resources.get(&reference).map_or(1, |(version, _)| version + 1);
        let minutes = self.clock / 60;
        let at = format!("2026-11-23T{:02}:{:02}:{:02}Z", 10 + minutes / 60, minutes % 60, self.clock % 60);
        resource["meta"]["versionId"] = version.to_string().into();
        resource["meta"]["lastUpdated"] = at.into();
        self.resources.insert(reference, (version, resource));
        (version, version == 1)
    }

    fn answer(&mut self, base: &str, request: &Request) -> Reply {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (request.method.as_str(), &parts[..]) {
            ("GET", ["metadata"]) => self.metadata(),
            ("POST", []) if !self.no_transactions => self.transaction(&request.body),
            ("POST", []) => Reply::outcome(405, "no transactions here"),
            ("PUT", [_, _]) => {
                let (version, new) = self.put(serde_json::from_str(&request.body).expect("JSON"));
                let mut reply = Reply::new(if new { 201 } else { 200 }, json!({ "resourceType": "Basic" }));
                reply.headers.push(("etag", format!("W/\"{version}\"")));
                reply
            }
            ("POST", [kind, "_search"]) => self.search(base, kind, &request.body),
            ("GET", [kind]) => self.search(base, kind, query),
            ("GET", [kind, id]) => match self.resources.get(&format!("{kind}/{id}")) {
                Some((_, resource)) => Reply::new(200, resource.clone()),
                None => Reply::outcome(404, "not known"),
            },
            _ => Reply::outcome(400, "not understood"),
        }
    }

    fn metadata(&self) -> Reply {
        let params = ["patient", "_lastUpdated"].map(|name| json!({ "name": name }));
        let codes = ["read", "update", "search-type"].map(|code| json!({ "code": code }));
        let resources =
            KINDS.map(|kind| json!({ "type": kind, "interaction": codes, "searchParam": params }));
        let system = if self.no_transactions { json!([]) } else { json!([{ "code": "transaction" }]) };
        let rest = json!([{ "mode": "server", "interaction": system, "resource": resources }]);
        Reply::new(
            200,
            json!({ "resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "format": ["json"], "rest": rest }),
        )
    }

    fn transaction(&mut self, body: &str) -> Reply {
        let bundle: Value = serde_json::from_str(body).expect("JSON");
        let entries = bundle["entry"].as_array().expect("entries");
        for entry in entries {
            let tag = entry["request"]["ifMatch"].as_str();
            let url = entry["request"]["url"].as_str().expect("a URL");
            let now = self.resources.get(url).map_or(0, |(version, _)| *version);
            if tag.is_some_and(|tag| tag != format!("W/\"{now}\"")) {
                return Reply::outcome(412, "another version");
            }
        }
        let responses: Vec<Value> = entries
            .iter()
            .map(|entry| {
                let (version, new) = self.put(entry["resource"].clone());
                let status = if new { "201 Created" } else { "200 OK" };
                json!({ "response": { "status": status, "etag": format!("W/\"{version}\"") } })
            })
            .collect();
        Reply::new(
            200,
            json!({ "resourceType": "Bundle", "type": "transaction-response", "entry": responses }),
        )
    }

    /// Two on a page, whatever is asked for.
    fn search(&self, base: &str, kind: &str, form: &str) -> Reply {
        let param = |name: &str| {
            let found = form.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            found.map(|value| value.replace("%2C", ",").replace("%3A", ":").replace("%2F", "/"))
        };
        let patients = param("patient").or(param("_id")).unwrap_or_default();
        let since = param("_lastUpdated").unwrap_or_default();
        let offset: usize = param("offset").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut found: Vec<&Value> = self
            .resources
            .iter()
            .filter(|(reference, _)| reference.starts_with(&format!("{kind}/")))
            .map(|(_, (_, resource))| resource)
            .filter(|resource| {
                let subject = resource["subject"]["reference"].as_str().unwrap_or_default();
                let id = subject.strip_prefix("Patient/").or(resource["id"].as_str()).unwrap_or_default();
                let at = resource["meta"]["lastUpdated"].as_str().unwrap_or_default();
                patients.split(',').any(|patient| patient == id) && at >= since.trim_start_matches("ge")
            })
            .collect();
        found.sort_by_key(|resource| resource["meta"]["lastUpdated"].as_str().map(str::to_owned));
        let page: Vec<Value> =
            found.iter().skip(offset).take(2).map(|resource| json!({ "resource": resource })).collect();
        let mut links = vec![json!({ "relation": "self", "url": "x" })];
        if found.len() > offset + 2 {
            let url = format!("{base}/{kind}?patient={patients}&offset={}", offset + 2);
            links.push(json!({ "relation": "next", "url": url }));
        }
        Reply::new(
            200,
            json!({ "resourceType": "Bundle", "type": "searchset", "total": found.len(), "link": links, "entry": page }),
        )
    }
}
