//! Structs whose fields name the order in which they are read.

/// Declares a struct of the header. Postcard writes a struct as its fields one after the other, without any frame, so
/// reading the fields in order is reading the struct; derived deserializers would do the same with four times the code.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident { $($fields:tt)* }) => {
        record!(@ $(#[$meta])* [$name] [$name] ['r] { $($fields)* });
    };
    ($(#[$meta:meta])* pub struct $name:ident<$life:lifetime> { $($fields:tt)* }) => {
        record!(@ $(#[$meta])* [$name] [$name<$life>] [$life] { $($fields)* });
    };
    (@ $(#[$meta:meta])* [$name:ident] [$($type:tt)*] [$life:lifetime]
        { $($(#[$about:meta])* pub $field:ident: $field_type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[cfg_attr(feature = "host", derive(serde::Serialize))]
        pub struct $($type)* {
            $($(#[$about])* pub $field: $field_type,)*
        }

        impl<$life> $crate::format::Read<$life> for $($type)* {
            #[inline(never)]
            fn read(from: &mut $crate::format::Reader<$life>) -> Self {
                Self { $($field: $crate::format::Read::read(from),)* }
            }
        }
    };
}

pub(crate) use record;
