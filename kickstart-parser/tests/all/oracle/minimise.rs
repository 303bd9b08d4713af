//! Makes a disagreement small: what can be left out while it lasts, is.

use super::answer::Answer;
use super::case::Case;
use super::compare::Level;
use super::process::Oracle;

/// Rounds through the whole text; each halves it at best.
const ROUNDS: usize = 6;

/// The smallest case found with a disagreement on the same level and with the
/// same kinds of error, and what is said to it.
pub fn minimise(case: &Case, level: Level, oracle: &mut Oracle) -> (Case, Answer, Answer) {
    let both =
        |case: &Case, oracle: &mut Oracle| (oracle.ask(std::slice::from_ref(case)).remove(0), Answer::ours(case));
    let (mut theirs, mut ours) = both(case, oracle);
    let mut case = case.clone();
    for separators in [&['\n'][..], &[' ', '\t'], &[',', '=', '/']] {
        for _ in 0..ROUNDS {
            let before = case.text.len();
            let pieces: Vec<String> = case.text.split_inclusive(separators).map(str::to_owned).collect();
            let mut kept = vec![true; pieces.len()];
            for at in 0..pieces.len() {
                kept[at] = false;
                let rest = pieces.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(piece, _)| piece.as_str());
                let smaller = Case { text: rest.collect(), ..case.clone() };
                let (their_new, our_new) = both(&smaller, oracle);
                let same_kind = (&their_new.error, &our_new.error) == (&theirs.error, &ours.error);
                if same_kind && level.agrees(&smaller, &their_new, &our_new) == Some(false) {
                    (theirs, ours) = (their_new, our_new);
                    case.text = smaller.text;
                } else {
                    kept[at] = true;
                }
            }
            if case.text.len() == before {
                break;
            }
        }
    }
    (case, theirs, ours)
}
