//! Words to options and arguments.
//!
//! The rules are those of Python's argparse, which kickstart inherited: long
//! options may be abbreviated as far as they stay unique; a value follows `=`
//! or is the next word, unless that begins with a dash; `--` ends the
//! options; arguments may stand between options, but a table position is
//! filled from one run of neighbouring words only.

use super::spec::{Kind, Many, Opt, Spec};
use super::suggest::{
    certain_option, in_mebibytes, instead, missing_value, name_blanks_around_equals, name_what_is_missing, successor,
    surplus, unknown_option,
};
use super::{Args, Argument, Cx, Given, Value, guess, value};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::Word;
use crate::span::Span;
use crate::syntax::State;

/// What a word is, before its neighbours are looked at.
enum Token {
    /// An option of this version, with the length of the name if `=` follows.
    Option(&'static Opt, Option<usize>),
    /// Begins like an option, but is none; already reported.
    Unknown,
    Argument,
    /// `--`.
    Separator,
}

/// Sort out the words that follow a command's name.
pub(crate) fn scan(spec: &'static Spec, span: Span, words: &[Word], cx: &mut Cx<'_>) -> Args {
    let mut args = Args {
        spec,
        span,
        given: Vec::new(),
        arguments: vec![Vec::new(); spec.positionals.len()],
        leftovers: Vec::new(),
        rest: String::new(),
        has_comment: false,
        broken: false,
    };
    let before = cx.diagnostics.len();
    let tokens = classify(spec, words, cx);
    let mut next_position = 0;
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        match token {
            Token::Option(option, equals) => {
                i += take_option(option, *equals, &words[i..], &tokens[i..], &mut args, cx);
            }
            Token::Unknown => i += 1,
            Token::Argument | Token::Separator => {
                let end = tokens[i..]
                    .iter()
                    .position(|t| matches!(t, Token::Option(..) | Token::Unknown))
                    .map_or(tokens.len(), |n| i + n);
                let run: Vec<&Word> =
                    (i..end).filter(|n| matches!(tokens[*n], Token::Argument)).map(|n| &words[n]).collect();
                // Where no position is left, that is itself a word too many.
                if next_position == spec.positionals.len()
                    && let Some(at) = (i..end).find(|n| matches!(tokens[*n], Token::Separator))
                {
                    surplus(spec, 1, "--", words[at].span, cx);
                }
                next_position = fill(&mut args, next_position, &run, cx);
                i = end;
            }
        }
    }
    args.broken = cx.diagnostics[before..].iter().any(Diagnostic::is_error);
    if args.broken {
        name_blanks_around_equals(words, &mut cx.diagnostics[before..]);
        name_what_is_missing(&args, &mut cx.diagnostics[before..]);
    } else {
        check_required(&args, cx);
    }
    args
}

fn classify(spec: &'static Spec, words: &[Word], cx: &mut Cx<'_>) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(words.len());
    let mut options = !spec.raw;
    for (at, word) in words.iter().enumerate() {
        tokens.push(if !options {
            Token::Argument
        } else if word.value == "--" {
            options = false;
            Token::Separator
        } else {
            classify_word(spec, words, at, cx)
        });
    }
    tokens
}

fn classify_word(spec: &'static Spec, words: &[Word], at: usize, cx: &mut Cx<'_>) -> Token {
    let Some(word) = words.get(at) else {
        return Token::Argument;
    };
    let text = word.value.as_str();
    if !text.starts_with('-') || text.len() == 1 {
        return Token::Argument;
    }
    let alive = |o: &&'static Opt| matches!(o.life.state(cx.syntax), State::Active | State::Deprecated);
    // The name first: most options are another one, few are dead.
    let exact = |name: &str| spec.options.iter().find(|o| o.is_called(name) && alive(o));
    if let Some(option) = exact(text) {
        return Token::Option(option, None);
    }
    let equals = text.find('=');
    let name = &text[..equals.unwrap_or(text.len())];
    if let (Some(option), Some(_)) = (exact(name), equals) {
        return Token::Option(option, equals);
    }
    let mut fitting: Vec<(&'static Opt, &'static str)> = Vec::new();
    if name.starts_with("--") {
        for option in spec.options {
            fitting.extend(option.names().filter(|n| n.starts_with(name) && alive(&option)).map(|n| (option, n)));
        }
    }
    match fitting.as_slice() {
        [(option, _)] => Token::Option(option, equals),
        [] if value::negative_number(text) || text.contains(' ') => Token::Argument,
        [] => {
            let diagnostic = unknown_option(spec, word, name, cx.syntax);
            cx.report(match certain_option(spec, words, at, name, cx.syntax) {
                Some(option) => diagnostic.fix_if(Some(option)),
                None => diagnostic,
            });
            Token::Unknown
        }
        several => {
            let names: Vec<String> = several.iter().map(|(_, n)| format!("`{n}`")).collect();
            cx.report(
                Diagnostic::new(
                    &codes::AMBIGUOUS_OPTION,
                    word.part(0, name.len()),
                    format!("`{name}` fits more than one option of `{}`", spec.name),
                )
                .help(format!("it could be {}", names.join(" or "))),
            );
            Token::Unknown
        }
    }
}

/// Take an option and its value; how many words that was.
fn take_option(
    option: &'static Opt,
    equals: Option<usize>,
    words: &[Word],
    tokens: &[Token],
    args: &mut Args,
    cx: &mut Cx<'_>,
) -> usize {
    let Some(word) = words.first() else {
        return 1;
    };
    let name_span = word.part(0, equals.unwrap_or(word.value.len()));
    warn_if_deprecated(option, name_span, args.spec, cx);
    if option.kind == Kind::Flag {
        match equals {
            Some(at) => {
                if args.spec.secret {
                    cx.secrets.push(word.part(at + 1, word.value.len()));
                }
                cx.report(Diagnostic::new(
                    &codes::UNWANTED_VALUE,
                    word.span,
                    format!("`{}` takes no value", option.name),
                ));
            }
            None => {
                args.given.push(Given { name: option.name, value: Value::None, span: word.span, value_span: word.span })
            }
        }
        return 1;
    }
    let (text, value_span, used) = match equals {
        Some(at) => (&word.value[at + 1..], word.part(at + 1, word.value.len()), 1),
        None => match (tokens.get(1), words.get(1)) {
            (Some(Token::Argument), Some(next)) => (next.value.as_str(), next.span, 2),
            (_, next) => {
                if option.bare {
                    args.given.push(Given {
                        name: option.name,
                        value: Value::None,
                        span: word.span,
                        value_span: word.span,
                    });
                } else {
                    cx.report(missing_value(args.spec, option, name_span, next));
                }
                return 1;
            }
        },
    };
    if option.secret {
        cx.secrets.push(value_span);
    }
    let span = word.span.to(value_span);
    if let Some(value) = convert(option, text, value_span, cx) {
        args.given.push(Given { name: option.name, value, span, value_span });
    }
    used
}

fn warn_if_deprecated(option: &Opt, span: Span, spec: &Spec, cx: &mut Cx<'_>) {
    if option.life.state(cx.syntax) == State::Deprecated {
        let message =
            format!("option `{}` of `{}` is deprecated since {}", option.name, spec.name, option.life.deprecated);
        let mut diagnostic = Diagnostic::new(&codes::OPTION_DEPRECATED, span, message);
        diagnostic.help = instead(spec.name, option.name).map(|other| format!("use {other}"));
        cx.report(diagnostic.fix_if(successor(spec.name, option.name)));
    }
}

fn convert(option: &Opt, text: &str, span: Span, cx: &mut Cx<'_>) -> Option<Value> {
    let name = option.name;
    match option.kind {
        Kind::Flag => Some(Value::None),
        Kind::Text => Some(Value::Text(text.into())),
        Kind::List => Some(Value::List(value::list(text))),
        Kind::Choice(of) if of.contains(&text) => Some(Value::Text(text.into())),
        Kind::Choice(of) => {
            let message = format!("`{text}` is no value for `{name}`");
            cx.report(
                Diagnostic::new(&codes::INVALID_CHOICE, span, message)
                    .help(format!("it takes {}", of.join(", ")))
                    .fix_if(guess::certain(text, of.iter().copied())),
            );
            None
        }
        Kind::Bool => {
            let value = value::boolean(text);
            if value.is_none() {
                let message = format!("`{text}` is no value for `{name}`");
                cx.report(Diagnostic::new(&codes::NOT_A_BOOLEAN, span, message).help("it takes yes or no"));
            }
            value.map(Value::Bool)
        }
        Kind::Int | Kind::Count => number(option, text, span, cx),
    }
}

fn number(option: &Opt, text: &str, span: Span, cx: &mut Cx<'_>) -> Option<Value> {
    let name = option.name;
    match value::int(text) {
        Err(()) => {
            let message = format!("`{name}` needs a whole number, not `{text}`");
            let mut diagnostic = Diagnostic::new(&codes::NOT_A_NUMBER, span, message);
            diagnostic.help = in_mebibytes(name, text);
            cx.report(diagnostic);
            None
        }
        Ok(Some(n)) if option.kind == Kind::Int => Some(Value::Int(n)),
        Ok(n) => {
            let count = n.and_then(|n| u64::try_from(n).ok());
            if count.is_none() {
                let message = format!("`{text}` is out of range for `{name}`");
                cx.report(Diagnostic::new(&codes::OUT_OF_RANGE, span, message));
            }
            count.map(Value::Count)
        }
    }
}

/// Spread a run of neighbouring arguments over the table positions that are
/// still free: as many positions as the run can serve, each as long as the
/// ones after it get what they need. Returns the next free position.
fn fill(args: &mut Args, from: usize, run: &[&Word], cx: &mut Cx<'_>) -> usize {
    if args.spec.secret {
        cx.secrets.extend(run.iter().map(|w| w.span));
    }
    let free = args.spec.positionals.get(from..).unwrap_or(&[]);
    let need = |many: Many| usize::from(many == Many::One);
    let served = (0..=free.len())
        .rev()
        .find(|n| free[..*n].iter().map(|p| need(p.many)).sum::<usize>() <= run.len())
        .unwrap_or(0);
    let mut rest = run;
    for (n, positional) in free[..served].iter().enumerate() {
        let reserved: usize = free[n + 1..served].iter().map(|p| need(p.many)).sum();
        let most = rest.len().saturating_sub(reserved);
        let take = match positional.many {
            Many::One | Many::Optional => most.min(1),
            Many::Any => most,
        };
        let (taken, left) = rest.split_at(take);
        if let Some(slot) = args.arguments.get_mut(from + n) {
            slot.extend(taken.iter().map(|w| Argument { value: w.value.clone(), span: w.span }));
        }
        rest = left;
    }
    if args.spec.leftovers {
        args.leftovers.extend(rest.iter().map(|w| Argument { value: w.value.clone(), span: w.span }));
    } else if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        surplus(args.spec, rest.len(), &first.value, first.span.to(last.span), cx);
    }
    from + served
}

/// Only for lines without another mistake: `--nmae=x` is one finding, not two.
fn check_required(args: &Args, cx: &mut Cx<'_>) {
    let spec = args.spec;
    for option in spec.options.iter().filter(|o| o.required) {
        if args.last(option.name).is_none() {
            cx.report(Diagnostic::new(
                &codes::REQUIRED_OPTION,
                args.span,
                format!("`{}` needs the option `{}`", spec.name, option.name),
            ));
        }
    }
    for (n, positional) in spec.positionals.iter().enumerate() {
        if positional.many == Many::One && args.arguments(n).is_empty() {
            cx.report(Diagnostic::new(
                &codes::REQUIRED_ARGUMENT,
                args.span,
                format!("`{}` needs {}", spec.name, positional.what),
            ));
        }
    }
}
