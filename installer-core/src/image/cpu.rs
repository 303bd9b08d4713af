//! Which processors an image is for: an architecture, and of amd64 the level (v1 to v4 of the
//! x86-64 ABI).

use crate::error::{Error, Result, Stage};

/// A processor that is to run the image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cpu<'a> {
    /// Its architecture, in OCI's words.
    pub arch: &'a str,
    /// Its level, where it is known.
    pub level: Option<u8>,
}

/// The level that a variant of amd64 asks for.
fn asks_for(arch: &str, variant: &str) -> Option<u8> {
    let level = variant.strip_prefix('v')?.parse().ok()?;
    (arch == "amd64").then_some(level)
}

impl Cpu<'_> {
    /// Whether it runs what is made for `variant`. What is not known is not ruled out.
    pub fn runs(&self, variant: &str) -> bool {
        match (asks_for(self.arch, variant), self.level) {
            (Some(asked), Some(level)) => asked <= level,
            _ => true,
        }
    }

    /// Refuses what is made for other processors of the architecture.
    pub fn check(&self, variant: &str) -> Result<()> {
        if self.runs(variant) {
            return Ok(());
        }
        let level = self.level.unwrap_or(1);
        let told = format!("the image is for {}/{variant}, and this processor is {}/v{level}", self.arch, self.arch);
        Err(Error::world(Stage::Resolve, told)
            .hint("build and push it for this level too, or install on a newer machine"))
    }

    /// The better, the smaller. First what updates will take too: skopeo, by which bootc looks for
    /// them, wants v8 or no variant of arm64, and no variant of others, and knows nothing else.
    /// Then the best that the processor runs; where that is not known, the lowest, which runs on
    /// the most machines.
    pub fn preference<'v>(&self, variant: &'v str) -> (u8, u8, &'v str) {
        match (self.arch, variant) {
            ("arm64", "v8") => (0, 0, ""),
            (_, "") => (1, 0, ""),
            (arch, variant) => match (asks_for(arch, variant), self.level) {
                (Some(asked), Some(_)) => (2, u8::MAX - asked, variant),
                _ => (2, u8::MAX, variant),
            },
        }
    }
}

/// The level of this machine's processor; `None` where it is of another architecture.
#[cfg(target_arch = "x86_64")]
pub(super) fn level() -> Option<u8> {
    macro_rules! all {
        ($($feature:tt),+) => { $(std::arch::is_x86_feature_detected!($feature))&&+ };
    }
    let v2 = all!("cmpxchg16b", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3");
    let v3 = v2 && all!("avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe");
    let v4 = v3 && all!("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl");
    Some(1 + u8::from(v2) + u8::from(v3) + u8::from(v4))
}

/// The level of this machine's processor; `None` where it is of another architecture.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn level() -> Option<u8> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_runs_itself_and_what_is_below() {
        let runs = |level, variant: &str| Cpu { arch: "amd64", level: Some(level) }.runs(variant);
        assert!(runs(3, "v3") && runs(3, "v2") && runs(3, "") && runs(3, "odd") && runs(1, "v1"));
        assert!(!runs(3, "v4") && !runs(1, "v2"));
        assert!(Cpu { arch: "amd64", level: None }.runs("v4") && Cpu { arch: "arm64", level: Some(1) }.runs("v9"));
        let error = Cpu { arch: "amd64", level: Some(2) }.check("v3").unwrap_err();
        assert_eq!(error.to_string(), "the image is for amd64/v3, and this processor is amd64/v2");
        #[cfg(target_arch = "x86_64")]
        assert!(matches!(level(), Some(1..=4)));
    }
}
