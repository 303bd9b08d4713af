//! Configuration files as text in, text out. Pure.

/// `text` with the line of `key` changed, or added.
pub fn set_key(text: &str, key: &str, value: &str) -> String {
    let line = format!("{key}={value}\n");
    let mut seen = false;
    let mut out: String = text
        .lines()
        .map(|old| match old.trim_start().strip_prefix(key) {
            Some(rest) if rest.starts_with('=') => {
                seen = true;
                line.clone()
            }
            _ => format!("{old}\n"),
        })
        .collect();
    if !seen {
        out.push_str(&line);
    }
    out
}

/// `text` without the lines that begin with one of the words `without`, and with the lines `with` where
/// the first of those was, else at the end.
pub fn set_lines(text: &str, without: &[String], with: &[String]) -> String {
    let goes = |line: &str| line.split_whitespace().next().is_some_and(|word| without.iter().any(|w| w == word));
    let mut out = String::new();
    let mut placed = false;
    for line in text.lines() {
        if !goes(line) {
            out.push_str(line);
            out.push('\n');
        } else if !placed {
            placed = true;
            with.iter().for_each(|line| out.push_str(&format!("{line}\n")));
        }
    }
    if !placed {
        with.iter().for_each(|line| out.push_str(&format!("{line}\n")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selinux_mode_changes_and_the_type_stays() {
        let text = set_key("# x\nSELINUX=enforcing\nSELINUXTYPE=targeted\n", "SELINUX", "permissive");
        assert_eq!(text, "# x\nSELINUX=permissive\nSELINUXTYPE=targeted\n");
        assert_eq!(set_key("", "A", "b"), "A=b\n");
    }

    #[test]
    fn lines_take_the_place_of_others() {
        let (without, with) = (["server".to_owned(), "pool".to_owned()], ["server a iburst".to_owned()]);
        let text = "# servers\npool x iburst\ndriftfile /d\nserver y\n";
        assert_eq!(set_lines(text, &without, &with), "# servers\nserver a iburst\ndriftfile /d\n");
        assert_eq!(set_lines("driftfile /d\n", &without, &with), "driftfile /d\nserver a iburst\n");
    }
}
