//! Who asks: what a machine says of itself, read strictly. All of it comes from an unknown
//! machine and goes into scripts and kickstarts, so nothing passes that could be more than a
//! word there.

use serde::{Deserialize, Serialize};

/// What a machine says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The network card it boots from: `52:54:00:12:34:56`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// The system's UUID, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The system's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

impl Identity {
    /// Keeps what makes sense of the three.
    pub fn new(mac: Option<&str>, uuid: Option<&str>, serial: Option<&str>) -> Self {
        Identity {
            mac: mac.and_then(self::mac),
            uuid: uuid.and_then(self::uuid),
            serial: serial.and_then(self::serial),
        }
    }

    /// The name of this machine where no other is known.
    pub fn id(&self) -> Option<String> {
        self.mac.clone().or_else(|| self.uuid.clone()).or_else(|| self.serial.clone())
    }

    /// Whether this is the machine that something is asked of: one of its marks is the same.
    pub fn has(&self, other: &Identity) -> bool {
        [(&self.mac, &other.mac), (&self.uuid, &other.uuid), (&self.serial, &other.serial)]
            .iter()
            .any(|(mine, theirs)| mine.is_some() && mine == theirs)
    }

    /// Takes what the other one knows.
    pub fn merge(&mut self, other: &Identity) {
        for (mine, theirs) in
            [(&mut self.mac, &other.mac), (&mut self.uuid, &other.uuid), (&mut self.serial, &other.serial)]
        {
            if theirs.is_some() {
                mine.clone_from(theirs);
            }
        }
    }
}

/// `52-54-00-AB-CD-EF`, `52:54:00:ab:cd:ef` or `525400abcdef` as `52:54:00:ab:cd:ef`.
pub fn mac(text: &str) -> Option<String> {
    let text = text.trim();
    let digits: String = text.chars().filter(|c| *c != ':' && *c != '-').collect();
    let plain = digits.len() == 12 && digits.chars().all(|c| c.is_ascii_hexdigit());
    // Separators, where there are any, stand between all pairs.
    if !plain || (text.len() != 12 && text.len() != 17) || digits.chars().all(|c| c == '0') {
        return None;
    }
    let pairs: Vec<&str> = (0..6).map(|n| &digits[2 * n..2 * n + 2]).collect();
    Some(pairs.join(":").to_ascii_lowercase())
}

/// A UUID in lower case; not the ones that mean "none".
pub fn uuid(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let digits: String = groups.concat();
    let none = digits.chars().all(|c| c == '0') || digits.chars().all(|c| c == 'f');
    (lengths == [8, 4, 4, 4, 12] && digits.chars().all(|c| c.is_ascii_hexdigit()) && !none).then_some(text)
}

/// A serial number as one word: whatever is more than letters, digits and `._:/+-` is `_`.
pub fn serial(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > 64 {
        return None;
    }
    let word: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "._:/+-".contains(c) { c } else { '_' }).collect();
    // What boards say that have none.
    let vague = ["none", "not_specified", "default_string", "to_be_filled_by_o.e.m.", "system_serial_number", "0"];
    let known = !vague.contains(&word.to_ascii_lowercase().as_str()) && word.chars().any(|c| c.is_ascii_alphanumeric());
    known.then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_an_address_are_one() {
        for text in ["52:54:00:AB:cd:ef", "52-54-00-ab-cd-ef", "525400abcdef", " 52:54:00:ab:cd:ef\n"] {
            assert_eq!(mac(text).as_deref(), Some("52:54:00:ab:cd:ef"), "{text:?}");
        }
        for text in ["", "52:54:00:ab:cd", "52:54:00:ab:cd:eg", "5:2540:0a:bcde:f", "00:00:00:00:00:00"] {
            assert_eq!(mac(text), None, "{text:?}");
        }
    }

    #[test]
    fn placeholders_identify_no_machine() {
        assert_eq!(uuid("00000000-0000-0000-0000-000000000000"), None);
        assert_eq!(uuid("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"), None);
        assert_eq!(uuid("Not Settable"), None);
        let some = "4C4C4544-0051-3010-8052-b4c04f4d3432";
        assert_eq!(uuid(some), Some(some.to_ascii_lowercase()));
        assert_eq!(serial("Default string"), None);
        assert_eq!(serial("To Be Filled By O.E.M."), None);
        assert_eq!(serial("VMware-56 4d").as_deref(), Some("VMware-56_4d"));
    }

    #[test]
    fn a_serial_number_brings_no_lines_and_no_options() {
        let forged = serial("x\n%pre\nrm -rf / --no-preserve-root").unwrap();
        assert!(!forged.contains(['\n', ' ', '%']), "{forged}");
    }
}
