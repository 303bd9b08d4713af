//! The arguments of a command, from words to values, by a table.
//!
//! [`spec`] is the vocabulary of the tables, [`scan`] sorts words into
//! options and arguments the way kickstart always has (which is Python's
//! argparse: abbreviations, `--o=v` and `--o v`, arguments anywhere), [`value`]
//! turns texts into numbers and lists, [`guess`] says what a misspelt name was meant to be. What comes out is an [`Args`], which a
//! command asks for its options by name.

pub(crate) mod guess;
pub(crate) mod scan;
pub(crate) mod spec;
pub(crate) mod suggest;
pub(crate) mod value;

use std::collections::HashMap;

use smol_str::SmolStr;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::secret::Secret;
use crate::span::Span;
use crate::syntax::Syntax;
use spec::{Kind, Spec};

/// What the parsing of one command may touch.
pub(crate) struct Cx<'a> {
    pub syntax: Syntax,
    pub diagnostics: &'a mut Vec<Diagnostic>,
    /// Where passwords are, for callers that show lines of the text.
    pub secrets: &'a mut Vec<Span>,
    /// What has a name so far, by kind and name.
    pub defined: HashMap<(&'static str, String), Span>,
}

impl Cx<'_> {
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Note that something of this kind gets a name (of several parts, maybe); where another
    /// one got the same.
    pub fn define(&mut self, kind: &'static str, name: &[&str], span: Span) -> Option<Span> {
        self.defined.insert((kind, format!("{name:?}")), span)
    }

    /// As `define`, with a warning about a name that is not new.
    pub fn define_once(&mut self, kind: &'static str, name: &[&str], span: Span, what: &str) {
        if let Some(before) = self.define(kind, name, span) {
            let message = format!("{what} is defined more than once");
            self.report(
                Diagnostic::new(&codes::DEFINED_TWICE, span, message).label(before, "it is defined here already"),
            );
        }
    }
}

/// The value of an option, by its kind.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    None,
    Text(SmolStr),
    Int(i64),
    Count(u64),
    Bool(bool),
    List(Vec<String>),
}

impl Value {
    /// The text of an option that takes any.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// One option as it was given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The canonical name, whatever abbreviation or alias was written.
    pub name: &'static str,
    pub value: Value,
    /// Option and value.
    pub span: Span,
    /// The value alone (the option if it has none).
    pub value_span: Span,
}

/// One argument that is no option.
#[derive(Clone)]
pub(crate) struct Argument {
    pub value: SmolStr,
    pub span: Span,
}

/// The arguments of one command.
#[derive(Clone)]
pub(crate) struct Args {
    pub spec: &'static Spec,
    /// The whole command line.
    pub span: Span,
    /// In the order of writing.
    pub given: Vec<Given>,
    /// By position in the table of positionals.
    pub arguments: Vec<Vec<Argument>>,
    /// Arguments that no position took, for a command that looks at them.
    pub leftovers: Vec<Argument>,
    /// Of a command that takes its line as it is: all that follows the name.
    pub rest: String,
    /// Of such a command too: the line ends in a comment.
    pub has_comment: bool,
    /// Some word was wrong, so what seems to be missing may be that word.
    pub broken: bool,
}

impl Args {
    fn declared(&self, name: &str) {
        debug_assert!(
            self.spec.options.iter().any(|o| o.name == name),
            "{} has no option {name} in its table",
            self.spec.name
        );
    }

    /// The option as it was given last.
    pub fn last(&self, name: &str) -> Option<&Given> {
        self.declared(name);
        self.given.iter().rev().find(|g| g.name == name)
    }

    /// Whether a switch was given.
    pub fn flag(&self, name: &str) -> bool {
        self.last(name).is_some()
    }

    pub fn text(&self, name: &str) -> Option<String> {
        match &self.last(name)?.value {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// Every time that this line gives the option.
    pub fn every(&self, name: &str) -> impl Iterator<Item = &Given> {
        self.declared(name);
        let here = |g: &&Given| {
            g.span.source == self.span.source && g.span.start >= self.span.start && g.span.end <= self.span.end
        };
        self.given.iter().filter(move |g| g.name == name).filter(here)
    }

    /// Of an option that may be given several times, every value.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.declared(name);
        let values = self.given.iter().filter(|g| g.name == name).filter_map(|g| match &g.value {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        });
        values.collect()
    }

    /// As `text`, with an empty value taken for none.
    pub fn nonempty(&self, name: &str) -> Option<String> {
        self.text(name).filter(|t| !t.is_empty())
    }

    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        match self.last(name)?.value {
            Value::Int(n) => Some(n),
            _ => None,
        }
    }

    pub fn count(&self, name: &str) -> Option<u64> {
        match self.last(name)?.value {
            Value::Count(n) => Some(n),
            _ => None,
        }
    }

    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.last(name)?.value {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    pub fn list(&self, name: &str) -> Vec<String> {
        match self.last(name).map(|g| &g.value) {
            Some(Value::List(list)) => list.clone(),
            _ => Vec::new(),
        }
    }

    /// Of several switches that set one thing, the one given last.
    pub fn last_of(&self, names: &[&'static str]) -> Option<&Given> {
        for name in names {
            self.declared(name);
        }
        self.given.iter().rev().find(|g| names.contains(&g.name))
    }

    /// The arguments of a positional.
    pub fn arguments(&self, position: usize) -> &[Argument] {
        self.arguments.get(position).map_or(&[], Vec::as_slice)
    }

    /// The only argument of a positional.
    pub fn argument(&self, position: usize) -> Option<&Argument> {
        self.arguments(position).first()
    }

    /// Report two options that cannot be used together, if both were given.
    pub fn exclude(&self, cx: &mut Cx<'_>, one: &'static str, other: &'static str) {
        self.declared(one);
        self.declared(other);
        let place = |name| self.given.iter().rposition(|g| g.name == name);
        if let (Some(one), Some(other)) = (place(one), place(other)) {
            // What an earlier line of the command gave comes first.
            let (a, b) = (&self.given[one.min(other)], &self.given[one.max(other)]);
            let message = format!("`{}` cannot be used together with `{}`", b.name, a.name);
            cx.report(
                Diagnostic::new(&codes::OPTIONS_EXCLUDE, b.span, message)
                    .label(a.span, format!("`{}` is here", a.name)),
            );
        }
    }

    /// Report an option that was given without the one that it needs.
    pub fn needs(&self, cx: &mut Cx<'_>, one: &'static str, other: &'static str) {
        if let (Some(a), None) = (self.last(one), self.last(other)) {
            cx.report(Diagnostic::new(&codes::OPTION_NEEDS_OTHER, a.span, format!("`{one}` needs `{other}`")));
        }
    }

    /// Whether something is on the line of this command, not taken over from an earlier one.
    pub fn is_own(&self, span: Span) -> bool {
        span.source == self.span.source && span.start >= self.span.start && span.end <= self.span.end
    }

    /// Warn about switches that set one thing in different ways.
    pub fn contradict(&self, cx: &mut Cx<'_>, names: &[&'static str]) {
        let Some(last) = self.last_of(names) else {
            return;
        };
        let other = |g: &&Given| names.contains(&g.name) && g.name != last.name;
        if let Some(first) = self.given.iter().filter(|g| self.is_own(g.span)).find(other) {
            cx.report(
                Diagnostic::new(
                    &codes::LAST_WINS,
                    first.span,
                    format!("`{}` is overridden by `{}`", first.name, last.name),
                )
                .label(last.span, "this one counts"),
            );
        }
    }

    /// Take over what an earlier line of the same command set: values stay
    /// unless given anew, switches and options that say so start afresh.
    pub fn inherit(&mut self, earlier: &Args) {
        let keeps = |g: &&Given| {
            earlier.spec.option(g.name).is_some_and(|o| match o.kind {
                Kind::Flag => o.sticky,
                _ => !o.resets,
            })
        };
        // One of each name is enough, or a thousand lines would carry a
        // thousand values along.
        let mut given: Vec<Given> = Vec::new();
        for old in earlier.given.iter().rev().filter(keeps) {
            if !given.iter().any(|g| g.name == old.name) {
                given.push(old.clone());
            }
        }
        given.reverse();
        given.append(&mut self.given);
        self.given = given;
        for (mine, old) in self.arguments.iter_mut().zip(&earlier.arguments) {
            if mine.is_empty() {
                mine.clone_from(old);
            }
        }
    }
}
