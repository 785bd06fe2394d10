fn main() {
    // A new migration is a new program.
    println!("cargo:rerun-if-changed=../../migrations/store");
}
