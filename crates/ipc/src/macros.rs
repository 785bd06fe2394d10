/// Declares commands: `Name { fields } -> Reply = "name";`.
macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? } -> $reply:ty = $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }

        impl crate::Command for $name {
            const NAME: &'static str = $text;
            type Reply = $reply;
        }
    )*};
}

pub(crate) use commands;
