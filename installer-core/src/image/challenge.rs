//! What a registry says to those that it does not know: `WWW-Authenticate`, read as leniently as
//! it is written. Text in, challenges out.

/// One way to log in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    /// In lower case (`bearer`, `basic`).
    pub scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// A parameter that says something.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// All challenges of a header's value: parameters belong to the scheme before them.
pub(super) fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return challenges;
        }
        let (word, after) = rest.split_at(rest.find(['=', ' ', '\t', ',']).unwrap_or(rest.len()));
        let blank = after.trim_start_matches([' ', '\t']);
        match (blank.strip_prefix('='), challenges.last_mut()) {
            (Some(value), Some(challenge)) => {
                let (value, after) = read_value(value.trim_start_matches([' ', '\t']));
                challenge.parameters.push((word.to_ascii_lowercase(), value));
                rest = after;
            }
            // A parameter of nothing.
            (Some(value), None) => rest = read_value(value).1,
            (None, _) => {
                challenges.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: Vec::new() });
                rest = after;
            }
        }
    }
}

/// A quoted string or a word, and what follows it. A word ends at a comma or a blank: some
/// registries write addresses without quotes.
fn read_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, rest) = text.split_at(text.find([',', ' ', '\t']).unwrap_or(text.len()));
        return (word.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_however_they_are_written() {
        let realm = "https://a.io/token";
        for (text, service, scope) in [
            (
                format!("Bearer realm=\"{realm}\",service=\"x\",scope=\"repository:a/b:pull\""),
                "x",
                "repository:a/b:pull",
            ),
            (format!("bearer realm={realm}, service=x , scope=\"r:p,q\""), "x", "r:p,q"),
            (format!("Bearer  realm=\"{realm}\" , service=\"my service\""), "my service", ""),
            (format!("BEARER Service=\"x\",scope=\"\",Realm=\"{realm}\","), "x", ""),
            (format!("Bearer realm = \"{realm}\",service=\"a \\\"quoted\\\" name\""), "a \"quoted\" name", ""),
            (format!("Basic realm=\"y\", Bearer realm=\"{realm}\",service=\"x\""), "x", ""),
            (format!("Negotiate, Basic, Bearer realm=\"{realm}\""), "", ""),
        ] {
            let all = parse(&text);
            let bearer = all.iter().find(|challenge| challenge.scheme == "bearer").unwrap();
            assert_eq!(bearer.get("realm"), Some(realm), "{text}");
            assert_eq!(bearer.get("service").unwrap_or(""), service, "{text}");
            assert_eq!(bearer.get("scope").unwrap_or(""), scope, "{text}");
        }
        assert_eq!(parse("Basic realm=\"x\"")[0].scheme, "basic");
        for odd in
            ["", ",", "=", "=\"", "Bearer realm=\"x\\", "realm=x", "Bearer realm=,=,", "\u{1b}[", "Bearer é=\"é\\é"]
        {
            let _ = parse(odd);
        }
    }
}
