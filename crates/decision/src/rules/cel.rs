//! The door to CEL: turns text into a [`Node`] tree. No other file knows the `cel` crate.
//!
//! Its parser is recursive and keeps no places for what it accepts. Therefore the text is bounded and
//! its tokens are looked at *before* parsing, and the tree is laid beside the tokens afterwards: both
//! are in the order of the source. Names, types and functions are not checked here.

use super::{
    RuleProblem,
    syntax::{Binary, Comparison, Kind, Node, Operation},
};
use cel::{
    common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators},
    parser::{
        ParseErrors, PrattParser,
        pratt_parser::{Lexer, TokenKind},
    },
};
use std::ops::Range;

/// Longest rule, in bytes.
pub(super) const SOURCE_BYTES_MAX: usize = 4096;
/// Deepest nesting of brackets, signs and `?`.
pub(super) const DEPTH_MAX: usize = 24;
/// Longest run of operators and functions of which each needs the result of the one before.
pub(super) const STEPS_MAX: usize = 32;
/// Most names, literals and operators: what a rule may cost.
pub(super) const PARTS_MAX: usize = 256;

const MACROS: [&str; 6] = ["has", "all", "exists", "exists_one", "map", "filter"];

/// The tree of a rule, or the first thing that is not CEL as rules use it.
pub(super) fn parse(source: &str) -> Result<Node, RuleProblem> {
    let tokens = tokens(source)?;
    let tree = PrattParser::new().parse(source).map_err(|errors| syntax_problem(source, &tokens, &errors))?;
    let mut walk = Walk { source, tokens: &tokens, next: 0, steps: 0 };
    walk.node(tree).map(|(node, _)| node)
}

struct Token {
    kind: TokenKind,
    span: Range<usize>,
    /// The other bracket of a pair.
    partner: Option<usize>,
}

fn problem(span: Range<usize>, message: impl Into<String>, hint: &str) -> RuleProblem {
    RuleProblem { span, message: message.into(), hint: (!hint.is_empty()).then(|| hint.to_owned()) }
}

/// All tokens that say something, within bounds, with every bracket closed.
fn tokens(source: &str) -> Result<Vec<Token>, RuleProblem> {
    if source.len() > SOURCE_BYTES_MAX {
        let message = format!("the rule is {} bytes long; at most {SOURCE_BYTES_MAX} are read", source.len());
        return Err(problem(0..source.len(), message, "say it in several rules or principles"));
    }
    let mut lexer = Lexer::new(source);
    let mut tokens: Vec<Token> = Vec::new();
    let mut bounds = Bounds::default();
    loop {
        let token = lexer.lex();
        let span = on_characters(source, token.start..token.end);
        match token.kind {
            TokenKind::TokWhitespace | TokenKind::TokComment => continue,
            TokenKind::TokEnd => break,
            TokenKind::TokError => {
                let message = lexer.get_error().map_or("", |error| error.message.as_str());
                return Err(unreadable(source, span, message));
            }
            kind => {
                let mut token = Token { kind, span, partner: None };
                refuse(source, tokens.last(), &token)?;
                token.partner = bounds.admit(&tokens, &token)?;
                if let Some(opening) = token.partner {
                    tokens[opening].partner = Some(tokens.len());
                }
                tokens.push(token);
            }
        }
    }
    match bounds.open.last() {
        Some(&opening) => {
            let span = tokens[opening].span.clone();
            Err(problem(span.clone(), format!("`{}` is never closed", &source[span]), ""))
        }
        None => Ok(tokens),
    }
}

#[derive(Default)]
struct Bounds {
    open: Vec<usize>,
    signs: usize,
    conditionals: usize,
    parts: usize,
}

impl Bounds {
    /// Counts one more token; for a closing bracket, the position of its opening one.
    fn admit(&mut self, before: &[Token], token: &Token) -> Result<Option<usize>, RuleProblem> {
        let sign = token.kind == TokenKind::TokExclamation
            || token.kind == TokenKind::TokMinus && !before.last().is_some_and(ends_value);
        self.signs = if sign { self.signs + 1 } else { 0 };
        let mut partner = None;
        match token.kind {
            TokenKind::TokLeftParen | TokenKind::TokLeftBracket => self.open.push(before.len()),
            TokenKind::TokRightParen | TokenKind::TokRightBracket => {
                partner = self.open.pop().filter(|&opening| pairs(before[opening].kind, token.kind));
                if partner.is_none() {
                    return Err(problem(token.span.clone(), "this bracket closes nothing", ""));
                }
            }
            TokenKind::TokComma | TokenKind::TokDot | TokenKind::TokColon => {}
            TokenKind::TokQuestion => self.conditionals += 1,
            _ => self.parts += 1,
        }
        if self.open.len() + self.signs + self.conditionals > DEPTH_MAX {
            let message = format!("the rule is nested deeper than {DEPTH_MAX} levels");
            return Err(problem(token.span.clone(), message, "say it in several rules or principles"));
        }
        if self.parts > PARTS_MAX {
            let message = format!("the rule has more than {PARTS_MAX} names, values and operators");
            return Err(problem(token.span.clone(), message, "say it in several rules or principles"));
        }
        Ok(partner)
    }
}

fn pairs(opening: TokenKind, closing: TokenKind) -> bool {
    (opening == TokenKind::TokLeftParen) == (closing == TokenKind::TokRightParen)
}

fn ends_value(token: &Token) -> bool {
    matches!(
        token.kind,
        TokenKind::TokIdent
            | TokenKind::TokInt
            | TokenKind::TokFloat
            | TokenKind::TokString
            | TokenKind::TokTrue
            | TokenKind::TokFalse
            | TokenKind::TokRightParen
            | TokenKind::TokRightBracket
    )
}

/// Refuses what CEL has and rules have not, so that the parser builds only what [`Walk`] understands.
fn refuse(source: &str, before: Option<&Token>, token: &Token) -> Result<(), RuleProblem> {
    let text = &source[token.span.clone()];
    let refused = |what: &str, hint: &str| Err(problem(token.span.clone(), what, hint));
    match token.kind {
        TokenKind::TokEqual => refused("unexpected `=`", "write `==` to compare"),
        TokenKind::TokPercent => refused("`%` is not available in rules", ""),
        TokenKind::TokNull => {
            refused("`null` is not available in rules", "write `known(…)` to ask whether there is a value")
        }
        TokenKind::TokUint => refused(&format!("unexpected `{text}`"), "write the number without `u`"),
        TokenKind::TokBytes => refused("bytes are not available in rules", ""),
        TokenKind::TokLeftBrace | TokenKind::TokRightBrace => {
            refused("maps and structures are not available in rules", "")
        }
        TokenKind::TokReservedWord => refused(&format!("`{text}` is a reserved word"), ""),
        TokenKind::TokIdent if text.starts_with('`') => refused("names are written without backticks", ""),
        TokenKind::TokDot if before.is_none_or(|token| token.kind != TokenKind::TokIdent) => {
            refused("unexpected `.`", "a dot stands between the parts of a name, as in `customer.city`")
        }
        TokenKind::TokLeftBracket if before.is_some_and(ends_value) => {
            refused("unexpected `[`", "lists stand after `in`, as in `customer.city in ['Utrecht']`")
        }
        TokenKind::TokLeftParen => match before.filter(|token| token.kind == TokenKind::TokIdent) {
            Some(name) if MACROS.contains(&&source[name.span.clone()]) => {
                let name = name.span.clone();
                let message = format!("`{}` is not available in rules", &source[name.clone()]);
                let hint = match &source[name.clone()] {
                    "has" => "write `known(…)`",
                    _ => "rules have no lists to go through",
                };
                Err(problem(name, message, hint))
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn unreadable(source: &str, span: Range<usize>, message: &str) -> RuleProblem {
    let text = &source[span.clone()];
    if message.starts_with("unterminated") {
        let opening = on_characters(source, span.start..span.start + 1);
        return problem(opening, "the text that begins here is not closed", "");
    }
    let hint = match text {
        "&" => "write `&&`",
        "|" => "write `||`",
        _ => "",
    };
    problem(span, format!("unexpected `{text}`"), hint)
}

/// The span, widened to whole characters.
fn on_characters(source: &str, span: Range<usize>) -> Range<usize> {
    let start = source.floor_char_boundary(span.start);
    start..source.ceil_char_boundary(span.end.max(start))
}

fn syntax_problem(source: &str, tokens: &[Token], errors: &ParseErrors) -> RuleProblem {
    let end = source.len()..source.len();
    let Some(first) = errors.errors.iter().find(|error| error.pos.0 > 0) else {
        return problem(0..source.len(), "the rule cannot be read", "");
    };
    let at = offset(source, first.pos);
    let Some(token) = tokens.iter().find(|token| token.span.end > at) else {
        return problem(end, "the rule ends where more is expected", "");
    };
    let text = &source[token.span.clone()];
    let message = match token.kind {
        TokenKind::TokInt | TokenKind::TokFloat if first.msg.contains("literal") => {
            format!("`{text}` is not a number that can be represented")
        }
        TokenKind::TokString if first.msg.contains("unescape") || first.msg.contains("code point") => {
            "the text contains an escape that CEL does not know".to_owned()
        }
        _ => format!("unexpected `{text}`"),
    };
    problem(token.span.clone(), message, "")
}

/// Bytes from the start for a line and a column, which both count from one; columns count bytes.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let before: usize =
        source.split_inclusive('\n').take(usize::try_from(line - 1).unwrap_or(0)).map(str::len).sum();
    source.floor_char_boundary(before + usize::try_from(column - 1).unwrap_or(0))
}

/// Lays the parser's tree beside the tokens.
struct Walk<'t> {
    source: &'t str,
    tokens: &'t [Token],
    next: usize,
    /// How many parts are above the present one.
    steps: usize,
}

/// First and last token of a part.
type Extent = (usize, usize);

impl Walk<'_> {
    fn node(&mut self, tree: IdedExpr) -> Result<(Node, Extent), RuleProblem> {
        if self.steps > STEPS_MAX {
            let message = format!("the rule takes more than {STEPS_MAX} steps one after the other");
            return Err(problem(0..self.source.len(), message, "say it in several rules or principles"));
        }
        self.steps += 1;
        let (kind, extent) = self.kind(tree.expr)?;
        self.steps -= 1;
        let extent = self.balanced(extent);
        let span = self.span(extent);
        Ok((Node { span, kind }, extent))
    }

    fn kind(&mut self, tree: Expr) -> Result<(Kind, Extent), RuleProblem> {
        Ok(match tree {
            Expr::Literal(literal) => self.literal(literal)?,
            Expr::Ident(name) => {
                let at = self.take(|kind| kind == TokenKind::TokIdent);
                (Kind::Name(name), (at, at))
            }
            Expr::Select(select) => {
                let (operand, (first, _)) = self.node(*select.operand)?;
                let last = self.take(|kind| kind == TokenKind::TokIdent);
                match operand.kind {
                    Kind::Name(name) => (Kind::Name(format!("{name}.{}", select.field)), (first, last)),
                    _ => return Err(self.unexpected((first, last))),
                }
            }
            Expr::List(list) => {
                let first = self.take(|kind| kind == TokenKind::TokLeftBracket);
                let elements = self.nodes(list.elements)?;
                (Kind::List(elements), (first, self.close(first)))
            }
            Expr::Call(call) => self.call(call)?,
            _ => return Err(self.unexpected((self.next, self.next))),
        })
    }

    fn nodes(&mut self, trees: Vec<IdedExpr>) -> Result<Vec<Node>, RuleProblem> {
        trees.into_iter().map(|tree| Ok(self.node(tree)?.0)).collect()
    }

    fn literal(&mut self, literal: LiteralValue) -> Result<(Kind, Extent), RuleProblem> {
        let kind = match literal {
            LiteralValue::Boolean(value) => Kind::Bool(value.into_inner()),
            LiteralValue::Int(value) => Kind::Number(value.into_inner() as f64),
            LiteralValue::Double(value) => Kind::Number(value.into_inner()),
            LiteralValue::String(value) => Kind::Text(value.inner().to_owned()),
            _ => return Err(self.unexpected((self.next, self.next))),
        };
        let minus = match kind {
            Kind::Number(value) if value.is_sign_negative() => {
                Some(self.take(|kind| kind == TokenKind::TokMinus))
            }
            _ => None,
        };
        let last = self.take(|token| match kind {
            Kind::Bool(_) => matches!(token, TokenKind::TokTrue | TokenKind::TokFalse),
            Kind::Number(_) => matches!(token, TokenKind::TokInt | TokenKind::TokFloat),
            _ => token == TokenKind::TokString,
        });
        let extent = (minus.unwrap_or(last), last);
        match kind {
            Kind::Number(value) if !value.is_finite() => {
                let span = self.span(extent);
                let message =
                    format!("`{}` is not a number that can be represented", &self.source[span.clone()]);
                Err(problem(span, message, ""))
            }
            kind => Ok((kind, extent)),
        }
    }

    fn call(&mut self, call: CallExpr) -> Result<(Kind, Extent), RuleProblem> {
        if let Some((operator, token)) = binary(&call.func_name) {
            return self.binary(operator, token, call.args);
        }
        let mut arguments = call.args.into_iter();
        match (call.func_name.as_str(), arguments.next(), arguments.next(), arguments.next()) {
            (operators::LOGICAL_NOT, Some(operand), ..) => {
                self.prefixed(TokenKind::TokExclamation, operand, Kind::Not)
            }
            (operators::NEGATE, Some(operand), ..) => {
                self.prefixed(TokenKind::TokMinus, operand, Kind::Negate)
            }
            (operators::CONDITIONAL, Some(condition), Some(yes), Some(no)) => {
                let (condition, (first, _)) = self.node(condition)?;
                let (yes, _) = self.node(yes)?;
                let (no, (_, last)) = self.node(no)?;
                Ok((Kind::Conditional(Box::new([condition, yes, no])), (first, last)))
            }
            (name, first, second, third) => {
                let arguments = [first, second, third].into_iter().flatten().chain(arguments).collect();
                self.function(name, call.target.map(|target| *target), arguments)
            }
        }
    }

    fn prefixed(
        &mut self,
        sign: TokenKind,
        operand: IdedExpr,
        kind: fn(Box<Node>) -> Kind,
    ) -> Result<(Kind, Extent), RuleProblem> {
        let first = self.take(|token| token == sign);
        let (operand, (_, last)) = self.node(operand)?;
        Ok((kind(Box::new(operand)), (first, last)))
    }

    fn binary(
        &mut self,
        operator: Binary,
        token: TokenKind,
        sides: Vec<IdedExpr>,
    ) -> Result<(Kind, Extent), RuleProblem> {
        let mut sides = sides.into_iter();
        let (Some(left), Some(right)) = (sides.next(), sides.next()) else {
            return Err(self.unexpected((self.next, self.next)));
        };
        let (left, (first, _)) = self.node(left)?;
        self.take(|kind| kind == token);
        let (right, (_, last)) = self.node(right)?;
        Ok((Kind::Binary(operator, Box::new([left, right])), (first, last)))
    }

    fn function(
        &mut self,
        name: &str,
        target: Option<IdedExpr>,
        arguments: Vec<IdedExpr>,
    ) -> Result<(Kind, Extent), RuleProblem> {
        let target = target.map(|target| self.node(target)).transpose()?;
        let name_at = self.take(|kind| kind == TokenKind::TokIdent);
        let (function, first) = match target {
            None => (name.to_owned(), name_at),
            Some((node, (first, last))) => match node.kind {
                Kind::Name(target) => (format!("{target}.{name}"), first),
                _ => return Err(self.unexpected((first, last))),
            },
        };
        let opening = self.take(|kind| kind == TokenKind::TokLeftParen);
        let arguments = self.nodes(arguments)?;
        let call = Kind::Call { function, function_span: self.span((first, name_at)), arguments };
        Ok((call, (first, self.close(opening))))
    }

    /// The next token of a kind; those in between are brackets, commas and signs that cancel out.
    fn take(&mut self, wanted: impl Fn(TokenKind) -> bool) -> usize {
        let rest = self.tokens.iter().skip(self.next);
        let skipped = rest.take_while(|token| !wanted(token.kind)).count();
        let at = (self.next + skipped).min(self.tokens.len().saturating_sub(1));
        self.next = at + 1;
        at
    }

    fn close(&mut self, opening: usize) -> usize {
        let closing = self.tokens[opening].partner.unwrap_or(opening);
        self.next = closing + 1;
        closing
    }

    /// Widened until no bracket in it has its partner outside.
    fn balanced(&self, (first, last): Extent) -> Extent {
        let partners = self.tokens[first..=last].iter().filter_map(|token| token.partner);
        let wider =
            partners.fold((first, last), |(first, last), partner| (first.min(partner), last.max(partner)));
        if wider == (first, last) { wider } else { self.balanced(wider) }
    }

    fn span(&self, (first, last): Extent) -> Range<usize> {
        self.tokens[first].span.start..self.tokens[last].span.end
    }

    fn unexpected(&self, (first, last): Extent) -> RuleProblem {
        let end = self.tokens.len().saturating_sub(1);
        let span = self.span((first.min(end), last.min(end)));
        let message = format!("unexpected `{}`", &self.source[span.clone()]);
        problem(span, message, "")
    }
}

fn binary(name: &str) -> Option<(Binary, TokenKind)> {
    use {Comparison::*, Operation::*};
    Some(match name {
        operators::LOGICAL_AND => (Binary::And, TokenKind::TokLogicalAnd),
        operators::LOGICAL_OR => (Binary::Or, TokenKind::TokLogicalOr),
        operators::IN => (Binary::In, TokenKind::TokIn),
        operators::EQUALS => (Binary::Compare(Equal), TokenKind::TokEqualEqual),
        operators::NOT_EQUALS => (Binary::Compare(NotEqual), TokenKind::TokExclamationEqual),
        operators::LESS => (Binary::Compare(Less), TokenKind::TokLess),
        operators::LESS_EQUALS => (Binary::Compare(LessOrEqual), TokenKind::TokLessEqual),
        operators::GREATER => (Binary::Compare(Greater), TokenKind::TokGreater),
        operators::GREATER_EQUALS => (Binary::Compare(GreaterOrEqual), TokenKind::TokGreaterEqual),
        operators::ADD => (Binary::Compute(Add), TokenKind::TokPlus),
        operators::SUBSTRACT => (Binary::Compute(Subtract), TokenKind::TokMinus),
        operators::MULTIPLY => (Binary::Compute(Multiply), TokenKind::TokAsterisk),
        operators::DIVIDE => (Binary::Compute(Divide), TokenKind::TokSlash),
        _ => return None,
    })
}
