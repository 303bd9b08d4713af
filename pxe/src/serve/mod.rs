//! The network boot server: who asks ([`identity`]), what they get ([`machines`], [`template`],
//! [`scripts`], [`files`]), where they are ([`record`]) and how that is remembered ([`store`]).
//!
//! ```text
//! machine ─HTTP─► http ──► fleet ──► record ──► store (on disk before the answer goes out)
//! admin   ─HTTP─► api  ──►   │
//!                            ├──► inventory (machines.toml, read again when it changes)
//!                            └──► template  (kickstarts)
//! ```
//!
//! HTTP only: DHCP and TFTP are dnsmasq's or Kea's.

pub mod answer;
pub mod api;
pub mod app;
pub mod files;
pub mod fleet;
pub mod http;
pub mod identity;
pub mod inventory;
pub mod machines;
pub mod metrics;
pub mod record;
pub mod scripts;
pub mod server;
pub mod store;
pub mod template;
pub mod token;
