//! The grammar: statements separated by `;`, one of which is the function and the others give names to values.

use super::error::FunctionError;
use super::token::{Placed, Token, tokens};
use super::words::{BinaryOperator, NEGATION, Pair, Reduction, Unary, reserved};
use crate::named::Named;
use crate::nearest::hint;
use std::ops::Range;

/// How deep parentheses, calls and signs may be nested.
pub const MOST_DEPTH: usize = 64;

/// How many numbers, names, operators and calls a text may have.
pub const MOST_NODES: usize = 500;

/// A part of an expression with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub kind: NodeKind,
    pub place: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum NodeKind {
    Number(f64),
    /// A variable, pi, or a name that a definition gives.
    Name(String),
    Negate(Box<Node>),
    Binary(BinaryOperator, Box<Node>, Box<Node>),
    Unary(Unary, Box<Node>),
    Pair(Pair, Box<Node>, Box<Node>),
    Reduce(Reduction, Box<Node>),
    /// `[a, b]`: several features a coordinate.
    List(Vec<Node>),
}

/// `name = value`, or `name = value > 0`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Definition {
    pub name: String,
    pub place: Range<usize>,
    pub value: Node,
    pub positive: bool,
}

/// A text as the grammar reads it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statements {
    pub body: Node,
    pub definitions: Vec<Definition>,
}

/// Reads `text`.
pub(super) fn statements(text: &str) -> Result<Statements, FunctionError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, nodes: 0 };
    let (mut body, mut definitions): (Option<Node>, Vec<Definition>) = (None, Vec::new());
    loop {
        match parser.statement()? {
            Statement::Nothing => {}
            Statement::Definition(definition) => {
                if definitions.iter().any(|other| other.name == definition.name) {
                    let reason = format!("the name `{}` is bound twice", definition.name);
                    return Err(FunctionError::new(definition.place, reason, "one definition of each name"));
                }
                definitions.push(definition);
            }
            Statement::Body(node) if body.is_some() => {
                let allowed = "one expression, and definitions `name = value` separated by `;`";
                return Err(FunctionError::new(node.place, "this is a second expression", allowed));
            }
            Statement::Body(node) => body = Some(node),
        }
        match parser.next() {
            (Token::Sign(';'), _) => {}
            (Token::End, place) => {
                let empty = || {
                    FunctionError::new(
                        place,
                        "there is no expression",
                        "an expression in u, p or n, as relu(u) + 0.001",
                    )
                };
                return Ok(Statements { body: body.ok_or_else(empty)?, definitions });
            }
            (token, place) => return Err(unexpected(&token, place)),
        }
    }
}

enum Statement {
    Nothing,
    Definition(Definition),
    Body(Node),
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    depth: usize,
    nodes: usize,
}

/// What a token says that stands where an operator or an end is expected.
fn unexpected(token: &Token, place: Range<usize>) -> FunctionError {
    match token {
        Token::Number(_) | Token::Name(_) | Token::Sign('(' | '[') => {
            let reason = format!("an operator is missing before {}", token.words());
            FunctionError::new(place, reason, "+, -, *, /, ^ (a product needs its `*`) or `;`")
        }
        Token::Sign(')') => FunctionError::new(place, "`)` closes no parenthesis", "as many `(` as `)`"),
        Token::Sign(']') => FunctionError::new(place, "`]` closes no list", "as many `[` as `]`"),
        Token::Sign('>') => {
            let allowed = "`> 0` after the start of a learned scalar only: a = 1 > 0";
            FunctionError::new(place, "there is nothing to compare", allowed)
        }
        Token::Sign('=') => {
            FunctionError::new(place, "only a name can be bound", "definitions as a = 1, separated by `;`")
        }
        other => FunctionError::new(place, format!("{} does not belong here", other.words()), "an operator or `;`"),
    }
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn place(&self) -> Range<usize> {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0..0, |(_, place)| place.clone())
    }

    /// The next piece; at the end that again.
    fn next(&mut self) -> Placed {
        let found = (self.peek().clone(), self.place());
        self.at = (self.at + 1).min(self.tokens.len());
        found
    }

    fn take(&mut self, sign: char) -> bool {
        let found = *self.peek() == Token::Sign(sign);
        self.at += usize::from(found);
        found
    }

    fn node(&mut self, kind: NodeKind, place: Range<usize>) -> Result<Node, FunctionError> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(FunctionError::new(place, "the function is too long", format!("at most {MOST_NODES} parts")));
        }
        Ok(Node { kind, place })
    }

    fn statement(&mut self) -> Result<Statement, FunctionError> {
        if matches!(self.peek(), Token::End | Token::Sign(';')) {
            return Ok(Statement::Nothing);
        }
        let name = match (self.peek(), self.tokens.get(self.at + 1)) {
            (Token::Name(name), Some((Token::Sign('='), _))) => Some(name.clone()),
            _ => None,
        };
        let Some(name) = name else {
            return Ok(Statement::Body(self.expression(0)?));
        };
        let (_, place) = self.next();
        self.at += 1;
        if reserved().any(|word| word == name) {
            let reason = format!("`{name}` has a meaning already");
            return Err(FunctionError::new(place, reason, "another name"));
        }
        let value = self.expression(0)?;
        let positive = self.take('>');
        if positive && self.next().0 != Token::Number(0.0) {
            let place = self.tokens[self.at - 1].1.clone();
            return Err(FunctionError::new(place, "a bound other than 0", "`> 0` after the start of a learned scalar"));
        }
        Ok(Statement::Definition(Definition { name, place, value, positive }))
    }

    /// One level deeper into the text.
    fn deeper<T>(
        &mut self,
        place: Range<usize>,
        read: impl FnOnce(&mut Self) -> Result<T, FunctionError>,
    ) -> Result<T, FunctionError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            let allowed = format!("at most {MOST_DEPTH} levels of parentheses, calls and signs");
            return Err(FunctionError::new(place, "the function is nested too deep", allowed));
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// An expression whose operators bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Node, FunctionError> {
        let mut left = self.operand()?;
        while let Token::Sign(sign) = *self.peek() {
            let operator = BinaryOperator::ALL.iter().find(|(_, other)| *other == sign).map(|(operator, _)| *operator);
            let Some(operator) = operator.filter(|operator| operator.strength() >= least) else { break };
            let (_, place) = self.next();
            // A power binds from the right: a^b^c is a^(b^c).
            let tighter = operator.strength() + u8::from(operator != BinaryOperator::Power);
            let right = self.deeper(place, |parser| parser.expression(tighter))?;
            let whole = left.place.start..right.place.end;
            left = self.node(NodeKind::Binary(operator, Box::new(left), Box::new(right)), whole)?;
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Node, FunctionError> {
        let (token, place) = self.next();
        match token {
            Token::Number(number) => self.node(NodeKind::Number(number), place),
            Token::Name(name) if *self.peek() == Token::Sign('(') => self.call(&name, place),
            Token::Name(name) => self.node(NodeKind::Name(name), place),
            Token::Sign('-') => {
                let inner = self.deeper(place.clone(), |parser| parser.expression(NEGATION))?;
                let whole = place.start..inner.place.end;
                self.node(NodeKind::Negate(Box::new(inner)), whole)
            }
            Token::Sign('(') => {
                let inner = self.deeper(place.clone(), |parser| parser.expression(0))?;
                let end = self.close(')', place.clone())?;
                Ok(Node { kind: inner.kind, place: place.start..end })
            }
            Token::Sign('[') => {
                let (entries, end) = self.entries(']', place.clone())?;
                self.node(NodeKind::List(entries), place.start..end)
            }
            Token::End => Err(FunctionError::new(place, "an operand is missing", OPERANDS)),
            other => {
                Err(FunctionError::new(place, format!("an operand is missing before {}", other.words()), OPERANDS))
            }
        }
    }

    /// Expressions separated by commas up to `closing`, and where they end.
    fn entries(&mut self, closing: char, opened: Range<usize>) -> Result<(Vec<Node>, usize), FunctionError> {
        let mut entries = Vec::new();
        loop {
            entries.push(self.deeper(opened.clone(), |parser| parser.expression(0))?);
            if !self.take(',') {
                return Ok((entries, self.close(closing, opened)?));
            }
        }
    }

    /// Takes `closing`, and says where it ends.
    fn close(&mut self, closing: char, opened: Range<usize>) -> Result<usize, FunctionError> {
        let (token, place) = self.next();
        match token {
            Token::Sign(sign) if sign == closing => Ok(place.end),
            Token::End | Token::Sign(';') => {
                let reason = format!("what opens here is never closed: `{closing}` is missing");
                Err(FunctionError::new(opened, reason, format!("a `{closing}` for it")))
            }
            Token::Sign(',') => {
                Err(FunctionError::new(place, "`,` stands between no arguments", "commas in calls and lists only"))
            }
            token => Err(unexpected(&token, place)),
        }
    }

    fn call(&mut self, name: &str, place: Range<usize>) -> Result<Node, FunctionError> {
        let opened = self.next().1;
        let (mut arguments, end) = self.entries(')', opened)?;
        let whole = place.start..end;
        let wrong = |needed: &str, found: usize| {
            let reason = format!("{name} takes {needed}, found {found}");
            Err(FunctionError::new(whole.clone(), reason, format!("{name}(…) with {needed}")))
        };
        let found = arguments.len();
        let last = arguments.pop();
        let kind = if let Ok(pair) = Pair::parse(name) {
            match (arguments.pop(), last) {
                (Some(first), Some(second)) if found == 2 => NodeKind::Pair(pair, Box::new(first), Box::new(second)),
                _ => return wrong("2 arguments", found),
            }
        } else {
            let unary = Unary::parse(name).map(|unary| move |only| NodeKind::Unary(unary, only));
            let reduction = Reduction::parse(name).map(|reduction| move |only| NodeKind::Reduce(reduction, only));
            let Some(only) = last.filter(|_| found == 1) else {
                return if unary.is_ok() || reduction.is_ok() {
                    wrong("1 argument", found)
                } else {
                    Err(unknown(name, place))
                };
            };
            match (unary, reduction) {
                (Ok(unary), _) => unary(Box::new(only)),
                (_, Ok(reduction)) => reduction(Box::new(only)),
                _ => return Err(unknown(name, place)),
            }
        };
        self.node(kind, whole)
    }
}

const OPERANDS: &str = "a number, u, p, n, a name, a call, `(`, `[` or `-`";

/// What an unknown function says.
fn unknown(name: &str, place: Range<usize>) -> FunctionError {
    let functions = || Unary::CHOICES.iter().chain(Pair::CHOICES).chain(Reduction::CHOICES).map(|choice| choice.name);
    let allowed = functions().collect::<Vec<_>>().join(", ") + &hint(name, functions());
    FunctionError::new(place, format!("`{name}` is no function"), allowed)
}
