//! The canonical form: constants folded, blanks and needless parentheses gone, so that two texts of one function are one
//! point of a sweep.

use super::arithmetic::{binary, pair, unary};
use super::error::FunctionError;
use super::syntax::{Definition, Node, NodeKind, Statements};
use super::words::{BinaryOperator, NEGATION, PI};

/// `statements` with every part that consists of numbers alone replaced by its value.
pub(super) fn folded(statements: Statements) -> Result<Statements, FunctionError> {
    let definition = |definition: Definition| Ok(Definition { value: fold(definition.value)?, ..definition });
    Ok(Statements {
        body: fold(statements.body)?,
        definitions: statements.definitions.into_iter().map(definition).collect::<Result<_, _>>()?,
    })
}

fn fold(node: Node) -> Result<Node, FunctionError> {
    let Node { kind, place } = node;
    let inner = |node: Box<Node>| fold(*node).map(Box::new);
    let kind = match kind {
        NodeKind::Name(name) if name == PI => NodeKind::Number(std::f64::consts::PI),
        NodeKind::Number(_) | NodeKind::Name(_) => kind,
        NodeKind::Negate(node) => NodeKind::Negate(inner(node)?),
        NodeKind::Unary(function, node) => NodeKind::Unary(function, inner(node)?),
        NodeKind::Reduce(reduction, node) => NodeKind::Reduce(reduction, inner(node)?),
        NodeKind::Binary(operator, a, b) => NodeKind::Binary(operator, inner(a)?, inner(b)?),
        NodeKind::Pair(function, a, b) => NodeKind::Pair(function, inner(a)?, inner(b)?),
        NodeKind::List(entries) => NodeKind::List(entries.into_iter().map(fold).collect::<Result<_, _>>()?),
    };
    let number = |node: &Node| match node.kind {
        NodeKind::Number(number) => Some(number),
        _ => None,
    };
    let value = match &kind {
        NodeKind::Negate(node) => number(node).map(|a| -a),
        NodeKind::Unary(function, node) => number(node).map(|a| unary(*function, a)),
        NodeKind::Binary(operator, a, b) => number(a).zip(number(b)).map(|(a, b)| binary(*operator, a, b)),
        NodeKind::Pair(function, a, b) => number(a).zip(number(b)).map(|(a, b)| pair(*function, a, b)),
        _ => None,
    };
    match value {
        Some(value) if !value.is_finite() => {
            Err(FunctionError::new(place, "this is not a finite number", "operations whose result is one"))
        }
        Some(value) => Ok(Node { kind: NodeKind::Number(value), place }),
        None => Ok(Node { kind, place }),
    }
}

/// The canonical text of folded statements.
pub(super) fn text(statements: &Statements) -> String {
    let mut text = String::new();
    write(&statements.body, 0, &mut text);
    for Definition { name, value, positive, .. } in &statements.definitions {
        text += "; ";
        text += name;
        text += "=";
        write(value, 0, &mut text);
        if *positive {
            text += ">0";
        }
    }
    text
}

/// How tightly the outermost operation of `node` binds.
fn strength(node: &Node) -> u8 {
    match &node.kind {
        NodeKind::Binary(operator, ..) => operator.strength(),
        NodeKind::Negate(_) => NEGATION,
        NodeKind::Number(number) if number.is_sign_negative() => NEGATION,
        _ => u8::MAX,
    }
}

/// Writes `node` where operations must bind at least as tightly as `least`.
fn write(node: &Node, least: u8, text: &mut String) {
    if strength(node) < least {
        text.push('(');
        write(node, 0, text);
        text.push(')');
        return;
    }
    let call = |name: &str, arguments: &[&Node], text: &mut String| {
        *text += name;
        list(arguments.iter().copied(), ['(', ')'], text);
    };
    match &node.kind {
        NodeKind::Number(number) => *text += &written(*number),
        NodeKind::Name(name) => *text += name,
        NodeKind::Negate(inner) => {
            text.push('-');
            write(inner, NEGATION, text);
        }
        NodeKind::Binary(operator, a, b) => {
            let own = operator.strength();
            let (left, right) = if *operator == BinaryOperator::Power { (own + 1, own) } else { (own, own + 1) };
            write(a, left, text);
            text.push(operator.sign());
            // The exponent may begin with a sign: u^-2.
            let signed = *operator == BinaryOperator::Power && strength(b) == NEGATION;
            write(b, if signed { NEGATION } else { right }, text);
        }
        NodeKind::Unary(function, inner) => call(function.name(), &[inner], text),
        NodeKind::Reduce(reduction, inner) => call(reduction.name(), &[inner], text),
        NodeKind::Pair(function, a, b) => call(function.name(), &[a, b], text),
        NodeKind::List(entries) => list(entries.iter(), ['[', ']'], text),
    }
}

fn list<'a>(nodes: impl Iterator<Item = &'a Node>, [opening, closing]: [char; 2], text: &mut String) {
    text.push(opening);
    for (index, node) in nodes.enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(node, 0, text);
    }
    text.push(closing);
}

/// The shortest text of a number that reads back as the same number.
fn written(number: f64) -> String {
    let size = number.abs();
    if number != 0.0 && !(1e-5..1e15).contains(&size) { format!("{number:e}") } else { number.to_string() }
}
