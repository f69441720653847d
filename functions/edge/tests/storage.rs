//! Storage over HTTP, against a server that writes down what it is sent.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use fieldcrm_core::Code;
use fieldcrm_edge::storage::{Object, Put};
use fieldcrm_edge::{Config, Origins, Storage, StorageApi};
use tokio::net::TcpListener;

type Arrived = Arc<Mutex<Vec<(Method, String, HeaderMap, Bytes)>>>;
type Answer = (StatusCode, &'static str);

/// Storage that answers this at first, and then always the last of it.
async fn storage(answers: &'static [Answer]) -> (StorageApi, Arrived) {
    let arrived = Arrived::default();
    let take = move |State(arrived): State<Arrived>, method, uri: Uri, headers, body| async move {
        let mut arrived = arrived.lock().unwrap();
        arrived.push((method, uri.path().to_owned(), headers, body));
        answers[(arrived.len() - 1).min(answers.len() - 1)]
    };
    let service = Router::new().fallback(take).with_state(arrived.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, service).await.unwrap() });
    (api(url), arrived)
}

fn api(supabase_url: String) -> StorageApi {
    let config = Config {
        supabase_url,
        publishable_key: "publishable".to_owned(),
        origins: Origins::Any,
        ..Config::default()
    };
    StorageApi::new(&config, "service-key")
}

fn object() -> Object {
    Object {
        bucket: "attachments",
        name: "org/inbound/hash/plan.pdf".to_owned(),
        content_type: "application/pdf".to_owned(),
        content: Bytes::from_static(b"%PDF \xff\x00"),
    }
}

#[tokio::test]
async fn an_object_is_put_in_the_place_of_what_has_its_name() {
    let (storage, arrived) = storage(&[(StatusCode::OK, r#"{"Key":"attachments/x"}"#)]).await;
    assert_eq!(storage.put(object()).await, Ok(Put::Stored));
    let (method, path, headers, body) = arrived.lock().unwrap().remove(0);
    assert_eq!(method, Method::POST);
    assert_eq!(path, "/storage/v1/object/attachments/org/inbound/hash/plan.pdf");
    for (name, value) in [
        ("authorization", "Bearer service-key"),
        ("apikey", "service-key"),
        ("content-type", "application/pdf"),
        ("x-upsert", "true"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    assert_eq!(&*body, b"%PDF \xff\x00");
}

#[tokio::test]
async fn what_a_bucket_never_takes_is_told_from_what_comes_again() {
    const REFUSED: [&[Answer]; 3] = [
        &[(StatusCode::BAD_REQUEST, r#"{"statusCode":"413","error":"Payload too large"}"#)],
        &[(StatusCode::BAD_REQUEST, r#"{"statusCode":"415","error":"invalid_mime_type"}"#)],
        &[(StatusCode::PAYLOAD_TOO_LARGE, "")],
    ];
    const AGAIN: [&[Answer]; 4] = [
        &[(StatusCode::BAD_REQUEST, r#"{"statusCode":"404","error":"Bucket not found"}"#)],
        &[(StatusCode::UNAUTHORIZED, "")],
        &[(StatusCode::SERVICE_UNAVAILABLE, "")],
        &[(StatusCode::FOUND, "")],
    ];
    for answers in REFUSED {
        let (storage, _) = storage(answers).await;
        assert_eq!(storage.put(object()).await, Ok(Put::Refused), "{answers:?}");
    }
    for answers in AGAIN {
        let (storage, _) = storage(answers).await;
        let error = storage.put(object()).await.unwrap_err();
        assert_eq!(error.code, Code::Unavailable, "{answers:?}");
    }
}

#[tokio::test]
async fn who_meets_another_that_puts_the_same_object_puts_it_after_them() {
    const MET: [&[Answer]; 2] = [
        &[(StatusCode::INTERNAL_SERVER_ERROR, ""), (StatusCode::OK, "{}")],
        &[
            (StatusCode::BAD_REQUEST, r#"{"statusCode":"409","error":"Duplicate"}"#),
            (StatusCode::OK, "{}"),
        ],
    ];
    for answers in MET {
        let (storage, arrived) = storage(answers).await;
        assert_eq!(storage.put(object()).await, Ok(Put::Stored));
        let arrived = arrived.lock().unwrap();
        assert_eq!((arrived.len(), &arrived[0].3), (2, &arrived[1].3));
    }
}

#[tokio::test]
async fn storage_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(api(url).put(object()).await.unwrap_err().code, Code::Unavailable);
}
