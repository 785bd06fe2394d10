//! From a command's name and JSON to the function that answers it.

use rabta_ipc::{Command, Error};
use serde_json::Value;

pub(crate) fn parse<C: Command>(body: &Value) -> Result<C, Error> {
    <C as serde::Deserialize>::deserialize(body)
        .map_err(|e| Error::detail("unexpected", format!("{}: {}", C::NAME, shape(&e))))
}

/// What was wrong with a message's shape, without the value that was in it.
fn shape(error: &serde_json::Error) -> String {
    format!("{:?} at column {}", error.classify(), error.column())
}

pub(crate) fn reply<C: Command>(answer: Result<C::Reply, Error>) -> Result<Value, Error> {
    serde_json::to_value(answer?).map_err(|e| Error::detail("unexpected", shape(&e)))
}

/// Makes a module's `route` function: `None` where the name is not one of its commands.
macro_rules! routes {
    ($on:ty { $($command:ty => $method:ident),* $(,)? }) => {
        pub(crate) async fn route(on: &$on, name: &str, body: &serde_json::Value)
            -> Option<Result<serde_json::Value, rabta_ipc::Error>>
        {
            use rabta_ipc::Command as _;
            $(if name == <$command>::NAME {
                let command: $command = match $crate::routes::parse(body) {
                    Ok(command) => command,
                    Err(error) => return Some(Err(error)),
                };
                // In a box each: one of them would make the future of all as large as itself.
                return Some($crate::routes::reply::<$command>(Box::pin(on.$method(command)).await));
            })*
            None
        }
    };
}

pub(crate) use routes;
