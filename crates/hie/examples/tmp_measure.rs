#[tokio::main]
async fn main() {
    let d = tempfile::tempdir().unwrap();
    for c in rabta_hie::measure::authorisation(d.path()).await.unwrap() {
        println!("{c:?} {:.1}%", c.percent());
    }
}
