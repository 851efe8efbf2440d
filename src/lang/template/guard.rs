//! Bounds on a source before it is parsed: the parser recurses, and a stack that runs out ends the process.

use minijinja::machinery::{Token, tokenize};

use super::fault::{Fault, Outcome};
use super::parse::syntax;

/// Bytes a source may have.
const SOURCE: usize = 64 << 10;
/// Words and signs between one pair of `{{ }}` or `{% %}`. Bounds chains such as `not not not`.
const TOKENS: usize = 600;
/// Brackets within brackets.
const BRACKETS: usize = 24;
/// Blocks within blocks.
const BLOCKS: usize = 24;
/// `elif` is nesting to the parser.
const ELIFS: usize = 60;

/// Refuses what the parser could not survive. What is no token at all is left for the parser to report.
pub(super) fn check(source: &str, is_expression: bool) -> Outcome<()> {
    if source.len() > SOURCE {
        return Err(Fault::new("This template is longer than 64 KiB"));
    }
    let (mut tokens, mut brackets, mut blocks, mut elifs) = (0, 0_usize, 0_usize, 0);
    let mut opened = false;
    for token in tokenize(source, is_expression, syntax()) {
        let Ok((token, span)) = token else { return Ok(()) };
        tokens += 1;
        let at_start = std::mem::take(&mut opened);
        match token {
            Token::VariableStart | Token::BlockStart => {
                (tokens, brackets) = (0, 0);
                opened = matches!(token, Token::BlockStart);
            }
            Token::BracketOpen | Token::ParenOpen | Token::BraceOpen => brackets += 1,
            Token::BracketClose | Token::ParenClose | Token::BraceClose => brackets = brackets.saturating_sub(1),
            Token::Ident("elif") if at_start => elifs += 1,
            // `set` mostly opens no block; the bound of the parser itself is enough for those that do.
            Token::Ident("if" | "for" | "with") if at_start => blocks += 1,
            Token::Ident("endif" | "endfor" | "endwith") if at_start => blocks = blocks.saturating_sub(1),
            _ => {}
        }
        let too_much = if tokens > TOKENS {
            Some("This expression is too long")
        } else if brackets > BRACKETS {
            Some("This expression has too many brackets within brackets")
        } else if blocks > BLOCKS {
            Some("This template has too many blocks within blocks")
        } else if elifs > ELIFS {
            Some("This template has too many `elif`")
        } else {
            None
        };
        if let Some(message) = too_much {
            let at = usize::try_from(span.start_offset).unwrap_or(0);
            return Err(Fault::new(message)
                .help("take a part out with `{% set part = … %}` before it")
                .at(at));
        }
    }
    Ok(())
}
