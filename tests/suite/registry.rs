//! The client of image registries, with a server that answers as registries do, and as they should not.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, header};
use cki::base::clock::SystemClock;
use cki::base::http::{HttpClient, HttpPolicy};
use cki::systems::registry::{Registry, RegistryImage};

const MANIFEST: &str = "{\"schemaVersion\":2}";

/// The configuration of the image `built`.
const CONFIG: &str = "{\"config\":{\"Labels\":{\"org.opencontainers.image.revision\":\"9C41D0E0\"}}}";

/// An index of one platform.
fn index() -> String {
    let digest = sha256(&manifest());
    format!(
        "{{\"manifests\":[{{\"digest\":\"{digest}\",\"platform\":{{\"os\":\"linux\",\"architecture\":\"amd64\"}}}}]}}"
    )
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    format!("sha256:{}", cki::base::digest::hex(&sha2::Sha256::digest(text)))
}

/// The manifest of the image `built`.
fn manifest() -> String {
    format!("{{\"config\":{{\"digest\":\"{}\"}}}}", sha256(CONFIG))
}

/// Answers by the path of the image: `open`, `token`, `login`, `lying`, `long`, `built`.
async fn answer(port: u16, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let token = request.headers().get(header::AUTHORIZATION).and_then(|text| text.to_str().ok());
    let with = |status: u16, name: &str, value: String, body: String| {
        Response::builder().status(status).header(name, value).body(Body::from(body)).expect("is valid")
    };
    let digest = "docker-content-digest";
    match path.split('/').nth(2).unwrap_or_default() {
        "auth"
            if ["token", "built"]
                .iter()
                .any(|one| query.contains(&format!("scope=repository%3A{one}%2Fweb%3Apull")))
                && query.contains("service=here") =>
        {
            with(
                200,
                "content-type",
                "application/json".to_owned(),
                "{\"token\":\"for-everybody\"}".to_owned(),
            )
        }
        "auth" => with(403, "x", String::new(), String::new()),
        // Where the registry keeps its blobs, nobody may see its token.
        "elsewhere" if token.is_none() => with(200, "x", String::new(), CONFIG.to_owned()),
        "token" | "login" | "built" if token != Some("Bearer for-everybody") => {
            let challenge = format!("Bearer realm=\"http://127.0.0.1:{port}/v2/auth\",service=\"here\"");
            with(401, "www-authenticate", challenge, String::new())
        }
        "lying" => with(200, digest, format!("sha256:{}", "0".repeat(64)), MANIFEST.to_owned()),
        "long" => with(200, "x", String::new(), " ".repeat((4 << 20) + 1)),
        "open" | "token" if path.ends_with("/manifests/mr-1") => {
            with(200, "x", String::new(), MANIFEST.to_owned())
        }
        "built" if path.contains("/blobs/") => {
            with(307, "location", format!("http://localhost:{port}/v2/elsewhere"), String::new())
        }
        "built" if path.ends_with("/mr-1") || path.ends_with(&sha256(&index())) => {
            with(200, "x", String::new(), index())
        }
        "built" => with(200, "x", String::new(), manifest()),
        _ => with(404, "x", String::new(), String::new()),
    }
}

#[tokio::test]
async fn registry_gives_digest_to_everybody() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let port = listener.local_addr().expect("is bound").port();
    let router = axum::Router::new().fallback(move |request: Request| answer(port, request));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = |offline: bool| {
        let http = HttpClient::new(HttpPolicy { offline, ..HttpPolicy::default() });
        Registry::new(Arc::new(http), Arc::new(SystemClock::new()))
    };
    let ask = async |image: &str, tag: &str| {
        let image = RegistryImage::parse(&format!("127.0.0.1:{port}/{image}")).expect("is a name");
        let answer = client(true).digest(&image, tag).await;
        answer.map_err(|error| error.to_string().replace(&port.to_string(), "PORT"))
    };
    let digest = "sha256:bafebd36189ad3688b7b3915ea55d461e0bfcfbdde11e54b0a123999fb6be50f".to_owned();
    assert_eq!(ask("open/web", "mr-1").await.as_ref(), Ok(&digest));
    assert_eq!(ask("token/web", "mr-1").await.as_ref(), Ok(&digest));
    for (image, tag, message) in [
        ("open/web", "mr-2", "the image `127.0.0.1:PORT/open/web:mr-2` does not exist"),
        ("login/web", "mr-1", "the registry does not show `127.0.0.1:PORT/login/web` without a login"),
        ("long/web", "mr-1", "the answer of the registry `127.0.0.1:PORT` is too long"),
    ] {
        assert_eq!(ask(image, tag).await, Err(message.to_owned()));
    }
    let built = RegistryImage::parse(&format!("127.0.0.1:{port}/built/web")).expect("is a name");
    let revision = client(true).revision(&built, &sha256(&index())).await;
    assert_eq!(revision.expect("answers").as_deref(), Some("9c41d0e0"));
    let open = RegistryImage::parse(&format!("127.0.0.1:{port}/open/web")).expect("is a name");
    assert!(client(true).revision(&open, "mr-1").await.is_err(), "a tag is no digest");
    let lying = ask("lying/web", "mr-1").await.expect_err("does not fit");
    assert!(
        lying.starts_with("the registry says that `127.0.0.1:PORT/lying/web` is `sha256:0000"),
        "{lying}"
    );
    let elsewhere = RegistryImage::parse("registry.invalid/web").expect("is a name");
    let error = client(true).digest(&elsewhere, "mr-1").await.expect_err("is offline");
    assert_eq!(
        error.to_string(),
        "the registry `registry.invalid` is not on this machine, and `cki` is offline"
    );
}
