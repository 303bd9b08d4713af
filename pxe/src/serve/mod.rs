//! The machines of a network: who asks ([`identity`]), what they get ([`machines`],
//! [`template`]), where they are ([`record`]) and how that is remembered ([`store`]).

pub mod identity;
pub mod machines;
pub mod record;
pub mod store;
pub mod template;
