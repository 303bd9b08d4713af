//! Work that is cancelled while it reads, while it waits for another attempt, and while no one
//! answers.

use std::time::Instant;

use super::misbehaving::{large, moody, try_open};
use super::server::{Reply, Server, status};
use super::*;
use crate::cancel::Cancel;
use crate::error::{Error, Kind};

/// Raises the flag in a moment.
fn soon(flag: &Cancel) {
    let flag = flag.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        flag.cancel();
    });
}

fn was_cancelled(error: Error) {
    assert_eq!((error.kind(), error.touched(), error.exit_code()), (Kind::Cancelled, false, 4), "{error}");
}

#[test]
fn before_it_has_begun() {
    let flag = Cancel::new();
    let server = Server::registry(large());
    let image = try_open(&server.host, &Heard::default(), |access| access.cancel = flag.clone()).unwrap();
    flag.cancel();
    was_cancelled(resolve(&image).unwrap_err());
    was_cancelled(try_open(&server.host, &Heard::default(), |access| access.cancel = flag).unwrap_err());
}

#[test]
fn while_it_waits_for_another_attempt() {
    let server = moody(large(), |_| true, |_, _| status(503, "later"));
    let (flag, begun) = (Cancel::new(), Instant::now());
    soon(&flag);
    let outcome = try_open(&server.host, &Heard::default(), |access| {
        access.first_wait = Duration::from_secs(600);
        access.cancel = flag;
    });
    was_cancelled(outcome.unwrap_err());
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn while_no_answer_comes() {
    let silent = |_: &Made, _: &super::server::Request| Reply::Silence(Duration::from_secs(3));
    let for_all = moody(large(), |_| true, silent);
    let for_blobs = moody(large(), |request| request.path.contains("blobs") && request.before > 0, silent);
    for server in [for_all, for_blobs] {
        let (flag, begun) = (Cancel::new(), Instant::now());
        soon(&flag);
        let opened = try_open(&server.host, &Heard::default(), |access| access.cancel = flag.clone());
        let error = match opened {
            Ok(image) => {
                // The second time that this layer is asked for, nothing comes.
                let _ = read_all(image.layer(0).unwrap());
                resolve(&image).unwrap_err()
            }
            Err(error) => error,
        };
        was_cancelled(error);
        assert!(begun.elapsed() < Duration::from_millis(2800), "it waited for the server");
    }
}
