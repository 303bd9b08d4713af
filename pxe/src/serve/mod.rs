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

mod answer;
mod api;
mod app;
mod files;
mod fleet;
mod http;
mod identity;
mod inventory;
mod machines;
mod metrics;
mod pace;
mod record;
mod scripts;
pub mod server;
mod store;
mod template;
pub mod token;
