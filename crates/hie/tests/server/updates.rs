//! The folder of packages for laptops: for enrolled devices, by range, and nothing outside it.

use std::fs;

use crate::support::server::{Server, code, said};

const NAME: &str = "/v1/updates/Rabta_2.0.0_x86_64.AppImage";

#[tokio::test]
async fn a_package_is_for_enrolled_laptops_and_the_folder_has_no_way_out() {
    let server = Server::start().await;
    let facility = server.facility("A", "clinic").await;
    let (doctor, _) = server.join(facility, "doctor").await;
    let (doctor, operator) = (server.token(&doctor).await, server.operator(facility).await);
    let (status, outcome) = said(server.get(&doctor, NAME)).await;
    assert_eq!((status, code(&outcome)), (404, "no-update"), "there is no folder");

    let folder = server.updates();
    fs::create_dir_all(folder.join("within")).unwrap();
    fs::write(folder.join("Rabta_2.0.0_x86_64.AppImage"), b"0123456789").unwrap();
    fs::write(folder.with_file_name("secret"), b"secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.with_file_name("secret"), folder.join("link")).unwrap();
    let (status, outcome) = said(server.get(&operator, NAME)).await;
    assert_eq!((status, code(&outcome)), (403, "device-only"));
    assert_eq!(said(server.get("no-such-token", NAME)).await.0, 401);
    for name in ["..%2fsecret", "%2e%2e%2fsecret", ".", "..", "link", "within", "none", ".hidden", "a%00b"] {
        let (status, _) = said(server.get(&doctor, &format!("/v1/updates/{name}"))).await;
        assert_eq!(status, 404, "{name}");
    }
}

#[tokio::test]
async fn whoever_has_the_beginning_gets_the_rest() {
    let server = Server::start().await;
    let facility = server.facility("A", "clinic").await;
    let (doctor, _) = server.join(facility, "doctor").await;
    let token = server.token(&doctor).await;
    let file = server.updates().join("Rabta_2.0.0_x86_64.AppImage");
    fs::create_dir_all(server.updates()).unwrap();
    fs::write(&file, b"0123456789").unwrap();
    let get = async |range: &str, if_range: Option<&str>| {
        let mut request = server.get(&token, NAME).header("range", range);
        if let Some(tag) = if_range {
            request = request.header("if-range", tag);
        }
        let answer = request.send().await.unwrap();
        let head = |name: &str| {
            answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let (status, range, tag) = (answer.status().as_u16(), head("content-range"), head("etag"));
        (status, range, tag, answer.bytes().await.unwrap())
    };
    let (status, _, tag, all) = get("bytes=x", None).await;
    assert_eq!((status, &all[..]), (200, &b"0123456789"[..]));
    let (status, range, _, rest) = get("bytes=7-", Some(&tag)).await;
    assert_eq!((status, range.as_str(), &rest[..]), (206, "bytes 7-9/10", &b"789"[..]));
    let (status, range, ..) = get("bytes=10-", None).await;
    assert_eq!((status, range.as_str()), (416, "bytes */10"));
    // Another file under that name: the rest of it would not fit the beginning of the old one.
    fs::write(&file, b"abcdefghijk").unwrap();
    let (status, _, other, all) = get("bytes=7-", Some(&tag)).await;
    assert_eq!((status, &all[..]), (200, &b"abcdefghijk"[..]));
    assert_ne!(other, tag);
}
