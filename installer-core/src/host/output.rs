//! What a program writes, until it ends or somebody wants it to. A child that it leaves behind
//! may keep the pipe open for ever, and nobody waits for that one.

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

/// The reading end of a program's output.
pub(super) struct Output<'a> {
    pipe: PipeReader,
    program: OwnedFd,
    group: Pid,
    stop: Option<&'a Cancel>,
    /// When it was asked to end.
    asked: Option<Instant>,
    /// How many bytes were in the pipe when the program had ended.
    left: Option<u64>,
}

impl<'a> Output<'a> {
    /// Of `program`, which writes into `pipe`. It is ended when `stop` is raised, if there is one;
    /// then it leads a process group.
    pub fn of(pipe: PipeReader, program: &Child, stop: Option<&'a Cancel>) -> io::Result<Self> {
        let group = Pid::from_child(program);
        let program = pidfd_open(group, PidfdFlags::empty())?;
        ioctl_fionbio(&pipe, true)?;
        Ok(Output { pipe, program, group, stop, asked: None, left: None })
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
            // All that it wrote is in there by now.
            self.left = Some(ioctl_fionread(&self.pipe)?);
            if self.asked.is_some() {
                // Those whom it has started may not have listened.
                let _ = kill_process_group(self.group, Signal::KILL);
            }
        } else if self.stop.is_some_and(Cancel::is_cancelled) {
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
            if self.left.is_none() {
                self.wait()?;
            }
            let most = self.left.map_or(buffer.len(), |left| buffer.len().min(usize::try_from(left).unwrap_or(0)));
            if most == 0 {
                return Ok(0);
            }
            match self.pipe.read(&mut buffer[..most]) {
                // Whoever held the other end may have closed it and run on.
                Ok(0) if self.left.is_none() => self.until_it_ends()?,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.left = self.left.map(|left| left - count as u64);
                    return Ok(count);
                }
            }
        }
    }
}

impl Output<'_> {
    fn until_it_ends(&mut self) -> io::Result<()> {
        while self.left.is_none() {
            self.wait()?;
            if self.left.is_none() {
                // The closed pipe is ready at once.
                std::thread::sleep(POLL);
            }
        }
        Ok(())
    }
}
