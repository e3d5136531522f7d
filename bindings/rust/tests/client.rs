// SPDX-License-Identifier: Apache-2.0
//! The client against the server that CURFEW_SERVER names.

use curfew::client::{Client, ClientError, Submission};
use serde_json::json;

fn client() -> Option<Client> {
    std::env::var("CURFEW_SERVER").ok().filter(|url| !url.is_empty()).map(|url| Client::new(&url).unwrap())
}

fn js(text: &str) -> Submission {
    Submission { source: Some(text.into()), ..Default::default() }
}

fn limited(text: &str, name: &str, value: &str) -> Submission {
    Submission { limits: vec![(name.into(), value.into())], ..js(text) }
}

#[test]
fn runs_are_submitted_and_waited_for() {
    let Some(client) = client() else { return };
    let sum = Submission { params: vec![json!(40), json!(2)], ..js("export default (a, b) => a + b") };
    assert_eq!(client.run(&sum).unwrap().value::<i32>().unwrap(), 42);
    let stopped = client.run(&limited("for (;;);", "timeout", "100ms")).unwrap();
    assert_eq!((stopped.outcome.as_str(), stopped.exit_code), ("deadline", 124));
    let once = Submission { idempotency_key: Some("once, in Rust".into()), ..js("1") };
    assert_eq!(client.submit(&once).unwrap(), client.submit(&once).unwrap());
}

#[test]
fn a_run_is_followed_and_cancelled() {
    let Some(client) = client() else { return };
    let id = client.submit(&limited("curfew.progress(1); for (;;);", "timeout", "10m")).unwrap();
    let mut kinds = vec![];
    client
        .events(&id, None, |event| {
            if event.kind == "progress" {
                assert_eq!(event.data, 1);
                assert!(client.cancel(&id).unwrap().map_or(true, |report| report.outcome == "cancelled"));
            }
            kinds.push(event.kind);
            true
        })
        .unwrap();
    assert_eq!(kinds.last().unwrap(), "report");
    assert_eq!(client.get(&id).unwrap()["state"], "done");
    assert_eq!(client.cancel(&id).unwrap().unwrap().outcome, "cancelled");
    let mut seen = 0;
    client
        .events(&id, None, |_| {
            seen += 1;
            false
        })
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn programs_are_stored() {
    let Some(client) = client() else { return };
    let text = r#"(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"#;
    let stored = client.put_program("add-rust", text.as_bytes(), "wat").unwrap();
    assert_eq!(
        (&stored["kind"], &client.get_program("add-rust").unwrap()["sha256"]),
        (&json!("module"), &stored["sha256"])
    );
    let sum = Submission {
        program: Some("add-rust".into()),
        call: Some("add".into()),
        params: vec![json!(1), json!(2)],
        ..Default::default()
    };
    assert_eq!(client.run(&sum).unwrap().value::<i32>().unwrap(), 3);
    assert!(client.programs().unwrap().iter().any(|program| program["name"] == "add-rust"));
    client.delete_program("add-rust").unwrap();
    assert!(matches!(client.get_program("add-rust"), Err(ClientError::Problem(problem)) if problem.status == 404));
    assert!(client.stats().unwrap().is_object());
    assert_eq!(client.nodes().unwrap()[0]["state"], "active");
}

#[test]
fn runs_are_listed_over_pages() {
    let Some(client) = client() else { return };
    let mut wanted: Vec<String> = (0..5).map(|n| client.submit(&js(&n.to_string())).unwrap()).collect();
    for id in &wanted {
        client.wait(id).unwrap();
    }
    let mut after = String::new();
    while !wanted.is_empty() {
        let mut filters = vec![("limit", "2"), ("state", "done")];
        if !after.is_empty() {
            filters.push(("after", &after));
        }
        let (runs, next) = client.runs(&filters).unwrap();
        wanted.retain(|id| !runs.iter().any(|run| run["id"] == **id));
        let Some(next) = next else { break };
        after = next;
    }
    assert!(wanted.is_empty());
}

#[test]
fn refusals() {
    for url in ["127.0.0.1:7433", "https://example.com", "http://", "http://a@b", "http://a b"] {
        assert!(matches!(Client::new(url), Err(ClientError::Invalid(_))), "{url}");
    }
    let mut nobody = Client::new("http://127.0.0.1:1").unwrap();
    nobody.retries = 0;
    assert!(matches!(nobody.get("x"), Err(ClientError::Io(_))));
    let Some(client) = client() else { return };
    assert!(
        matches!(client.submit(&limited("1", "timeout", "soon")), Err(ClientError::Problem(problem)) if problem.pointer.as_ref().unwrap().contains("timeout"))
    );
    for wrong in [Submission::default(), Submission { program: Some("x".into()), ..js("1") }] {
        assert!(matches!(client.submit(&wrong), Err(ClientError::Invalid(_))));
    }
}
