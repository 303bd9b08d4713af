//! What a program writes, until it ends or is cancelled. A child that it leaves behind
//! may keep the pipe open for ever: it may have some last lines (a `tee` that a script speaks
//! through), and more is not waited for.

use std::io::{self, ErrorKind, PipeReader, Read};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio, ioctl_fionread};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::cancel::{Cancel, POLL};

/// How long a program may take to end once it is asked to.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long those that a program leaves behind are listened to.
const GRACE: Duration = Duration::from_secs(1);
/// And how many bytes more they may say.
const LAST_LINES: u64 = 64 << 10;

/// The reading end of a program's output.
pub(super) struct Output<'a> {
    pipe: PipeReader,
    program: OwnedFd,
    group: Pid,
    stop: Option<&'a Cancel>,
    /// When it should have ended.
    deadline: Option<Instant>,
    /// When it was asked to end.
    asked: Option<Instant>,
    /// When the program had ended, and how many bytes may still be read.
    ended: Option<(Instant, u64)>,
}

impl<'a> Output<'a> {
    /// Of `program`, which writes into `pipe`. It is ended when `stop` is raised, or at the `deadline`,
    /// if there is one; then it leads a process group.
    pub fn of(
        pipe: PipeReader,
        program: &Child,
        stop: Option<&'a Cancel>,
        deadline: Option<Instant>,
    ) -> io::Result<Self> {
        let group = Pid::from_child(program);
        let program = pidfd_open(group, PidfdFlags::empty())?;
        ioctl_fionbio(&pipe, true)?;
        Ok(Output { pipe, program, group, stop, deadline, asked: None, ended: None })
    }

    /// Waits a moment for something to read, or for the program's end.
    fn wait(&mut self) -> io::Result<()> {
        let mut ready = [PollFd::new(&self.program, PollFlags::IN), PollFd::new(&self.pipe, PollFlags::IN)];
        let moment = Timespec { tv_sec: 0, tv_nsec: i64::from(POLL.subsec_nanos()) };
        match poll(&mut ready, Some(&moment)) {
            Err(Errno::INTR) => return Ok(()),
            other => other?,
        };
        if !ready[0].revents().is_empty() {
            // All that it wrote itself is in there by now.
            let written = ioctl_fionread(&self.pipe)?;
            if self.asked.is_some() {
                // Those whom it has started may not have listened.
                let _ = kill_process_group(self.group, Signal::KILL);
            }
            self.ended = Some((Instant::now(), written + if self.asked.is_some() { 0 } else { LAST_LINES }));
        } else if self.stop.is_some_and(Cancel::is_cancelled) || self.deadline.is_some_and(|end| Instant::now() >= end)
        {
            let asked = *self.asked.get_or_insert_with(Instant::now);
            let signal = if asked.elapsed() < PATIENCE { Signal::TERM } else { Signal::KILL };
            // It may have ended this very moment; its number is its own until it is waited for.
            let _ = kill_process_group(self.group, signal);
        }
        Ok(())
    }
}

impl Read for Output<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.ended.is_none() {
                self.wait()?;
            }
            let most =
                self.ended.map_or(buffer.len(), |(_, left)| buffer.len().min(usize::try_from(left).unwrap_or(0)));
            if most == 0 {
                return Ok(0);
            }
            match (self.pipe.read(&mut buffer[..most]), &mut self.ended) {
                // The process at the other end may have closed it and run on.
                (Ok(0), None) => self.until_it_ends()?,
                (Ok(count), None) => return Ok(count),
                (Ok(count), Some((_, left))) => {
                    *left -= count as u64;
                    return Ok(count);
                }
                (Err(error), _) if error.kind() == ErrorKind::Interrupted => {}
                (Err(error), ended) if error.kind() == ErrorKind::WouldBlock => match ended {
                    Some((at, _)) if at.elapsed() >= GRACE => return Ok(0),
                    Some(_) => std::thread::sleep(POLL.min(Duration::from_millis(20))),
                    None => {}
                },
                (Err(error), _) => return Err(error),
            }
        }
    }
}

impl Output<'_> {
    fn until_it_ends(&mut self) -> io::Result<()> {
        while self.ended.is_none() {
            self.wait()?;
            if self.ended.is_none() {
                // The closed pipe is ready at once.
                std::thread::sleep(POLL);
            }
        }
        Ok(())
    }
}
