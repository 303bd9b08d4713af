//! Waiting for what passes by itself: a prober that holds a device for a moment, a node that is
//! about to come.

use std::time::{Duration, Instant};

/// Does `work` again after each `pause` while it fails in a way that `passes`, for as long as
/// `limit`. What it fails with then, or fails with otherwise, is returned.
pub fn retry<T, E>(
    limit: Duration,
    pause: Duration,
    passes: impl Fn(&E) -> bool,
    mut work: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let end = Instant::now() + limit;
    loop {
        match work() {
            Err(error) if passes(&error) && Instant::now() < end => std::thread::sleep(pause),
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_millis(1);

    #[test]
    fn what_passes_is_waited_for_and_nothing_else_is() {
        let mut left = [Ok(7), Err("busy"), Err("busy")].to_vec();
        assert_eq!(retry(Duration::from_secs(60), PAUSE, |e| *e == "busy", || left.pop().unwrap()), Ok(7));
        let mut asked = 0;
        let mut broken = || {
            asked += 1;
            Err::<(), _>("broken")
        };
        assert_eq!(retry(Duration::from_secs(60), PAUSE, |e| *e == "busy", &mut broken), Err("broken"));
        assert_eq!(asked, 1);
    }

    #[test]
    fn patience_has_an_end() {
        let mut asked = 0;
        let outcome = retry(
            Duration::from_millis(20),
            PAUSE,
            |_| true,
            || {
                asked += 1;
                Err::<(), _>("busy")
            },
        );
        assert_eq!(outcome, Err("busy"));
        assert!(asked > 1, "{asked}");
    }
}
