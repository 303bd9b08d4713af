//! Writing into the areas of a medium, so that no moment of it is a danger: a byte in each menu
//! says whether the medium is whole, and while it says no the menu starts nothing.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;

use installer_core::error::Context as _;
use installer_core::{Result, Stage};

const READY: u8 = b'1';
const UNFINISHED: u8 = b'0';

/// What is to be written where.
#[derive(Debug)]
pub struct Change {
    ready: Vec<u64>,
    writes: Vec<(u64, Vec<u8>)>,
}

impl Change {
    pub(crate) fn new(ready: Vec<u64>, writes: Vec<(u64, Vec<u8>)>) -> Self {
        Change { ready, writes }
    }

    /// Writes it onto the medium. Three times everything is on it before the next byte is
    /// written: the mark that it is being changed, what changes, and the mark that it is whole.
    pub fn apply(&self, medium: &File) -> Result<()> {
        for step in [Step::Begin, Step::Write, Step::End] {
            self.step(step, medium).doing(Stage::Media, "writing to the medium")?;
        }
        Ok(())
    }

    fn step(&self, step: Step, medium: &File) -> io::Result<()> {
        match step {
            Step::Begin => self.mark(medium, UNFINISHED)?,
            Step::Write => self.writes.iter().try_for_each(|(at, bytes)| medium.write_all_at(bytes, *at))?,
            Step::End => self.mark(medium, READY)?,
        }
        medium.sync_data()
    }

    fn mark(&self, medium: &File, byte: u8) -> io::Result<()> {
        self.ready.iter().try_for_each(|at| medium.write_all_at(&[byte], *at))
    }

    /// Copies a medium, from its beginning, with the change in it; how many bytes that were.
    pub fn copy(&self, medium: &mut impl Read, out: &mut impl Write) -> Result<u64> {
        let (reading, writing) = ("reading the medium", "writing the copy");
        let mut writes: Vec<(u64, &[u8])> = self.writes.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect();
        writes.extend(self.ready.iter().map(|at| (*at, [READY].as_slice())));
        writes.sort_unstable_by_key(|(at, _)| *at);
        let mut done = 0;
        for (at, bytes) in writes {
            let before = at.saturating_sub(done);
            let copied = io::copy(&mut medium.take(before), out).doing(Stage::Media, writing)?;
            let skipped =
                io::copy(&mut medium.take(bytes.len() as u64), &mut io::sink()).doing(Stage::Media, reading)?;
            if copied != before || skipped != bytes.len() as u64 {
                return Err(installer_core::Error::world(Stage::Media, "the medium ended while it was copied"));
            }
            out.write_all(bytes).doing(Stage::Media, writing)?;
            done = at + skipped;
        }
        done += io::copy(medium, out).doing(Stage::Media, writing)?;
        out.flush().doing(Stage::Media, writing)?;
        Ok(done)
    }
}

#[derive(Clone, Copy)]
enum Step {
    Begin,
    Write,
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> Change {
        Change::new(vec![2, 9], vec![(6, b"ABC".to_vec()), (3, b"xy".to_vec())])
    }

    #[test]
    fn a_copy_is_what_a_change_in_place_makes() {
        let old = b"..0..uuu.0.....";
        let mut copy = Vec::new();
        assert_eq!(change().copy(&mut &old[..], &mut copy).unwrap(), 15);
        assert_eq!(copy, b"..1xyuABC1.....");
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(old, 0).unwrap();
        change().apply(&file).unwrap();
        let mut new = [0; 15];
        file.read_exact_at(&mut new, 0).unwrap();
        assert_eq!(new[..], copy[..]);
        assert!(change().copy(&mut &old[..8], &mut io::sink()).unwrap_err().to_string().contains("ended"));
    }

    #[test]
    fn wherever_it_stops_the_medium_says_so() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"..1......1", 0).unwrap();
        let marks = || {
            let mut bytes = [0; 10];
            file.read_exact_at(&mut bytes, 0).unwrap();
            [bytes[2], bytes[9]]
        };
        for (step, expected) in [(Step::Begin, b"00"), (Step::Write, b"00"), (Step::End, b"11")] {
            change().step(step, &file).unwrap();
            assert_eq!(marks(), *expected);
        }
    }
}
