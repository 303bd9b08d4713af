//! The one runtime on which everything async runs, and how blocking code waits for it.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

use crate::cancel::{Cancel, POLL};
use crate::error::{Error, Result, Stage};

/// The one runtime. Made at the first use; it lives as long as the process.
pub(super) fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        // Fails only if one was installed before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Builder::new_multi_thread().worker_threads(2).thread_name("registry").enable_all().build()
    });
    made.as_ref().map_err(|error| Error::failed(Stage::Resolve, format!("starting the network runtime: {error}")))
}

/// Waits for `work`, though not after a cancellation.
pub(super) fn wait_for<T>(cancel: &Cancel, work: impl Future<Output = T>) -> Result<T> {
    runtime()?.block_on(async {
        let mut work = std::pin::pin!(work);
        loop {
            cancel.check(Stage::Resolve)?;
            if let Ok(done) = tokio::time::timeout(POLL, work.as_mut()).await {
                return Ok(done);
            }
        }
    })
}
