//! The words of the language: operators, functions of a number, functions of a whole vector, and variables.

use crate::named::named;

named! {
    /// A function of one number, which acts on each coordinate alike.
    pub enum Unary {
        Relu = "relu", "max(u, 0)";
        Exp = "exp", "eᵘ";
        Log = "log", "the natural logarithm, of what is positive";
        Sqrt = "sqrt", "the square root, of what is not negative";
        Abs = "abs", "|u|";
        Square = "square", "u²";
        Sigmoid = "sigmoid", "1/(1 + e⁻ᵘ)";
        Softplus = "softplus", "log(1 + eᵘ)";
        Tanh = "tanh", "the hyperbolic tangent";
        Elu = "elu", "u above 0, eᵘ − 1 below";
        Gelu = "gelu", "u·Φ(u), exact (Hendrycks, Gimpel 2016)";
        Silu = "silu", "u·sigmoid(u)";
        Sin = "sin", "sine, of radians";
        Cos = "cos", "cosine, of radians";
    }
}

named! {
    /// A function of two numbers that is written as a call.
    pub enum Pair {
        Min = "min", "the smaller of two";
        Max = "max", "the larger of two";
    }
}

named! {
    /// A function of all coordinates of a vector.
    pub enum Reduction {
        Sum = "sum", "Σ over the coordinates";
        Mean = "mean", "the mean over the coordinates";
        MaxOver = "max_over", "the largest coordinate";
        Norm = "norm", "the Euclidean norm";
    }
}

named! {
    /// What a function is given.
    pub enum Variable {
        Coordinate = "u", "a coordinate of the query or key x";
        Projected = "p", "a coordinate of a projection of x: Wx + b, learned for each head, or wᵢ·x of random features";
        SquaredNorm = "n", "|x|²";
    }
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// a + b
    Add,
    /// a − b
    Subtract,
    /// a·b
    Multiply,
    /// a/b
    Divide,
    /// a to the power of b
    Power,
}

impl BinaryOperator {
    /// Every operator with its sign.
    pub const ALL: [(Self, char); 5] =
        [(Self::Add, '+'), (Self::Subtract, '-'), (Self::Multiply, '*'), (Self::Divide, '/'), (Self::Power, '^')];

    /// The sign as typed.
    pub(super) fn sign(self) -> char {
        Self::ALL.iter().find(|(operator, _)| *operator == self).map_or('?', |(_, sign)| *sign)
    }

    /// How tightly it binds; a larger number binds tighter.
    pub(super) const fn strength(self) -> u8 {
        match self {
            Self::Add | Self::Subtract => 1,
            Self::Multiply | Self::Divide => 2,
            Self::Power => NEGATION + 1,
        }
    }
}

/// How tightly the sign − before an operand binds: −u² is −(u²).
pub(super) const NEGATION: u8 = 3;

/// The circle number, the one constant with a name.
pub(super) const PI: &str = "pi";

/// Every word that has a meaning of its own and thus names nothing else.
pub(super) fn reserved() -> impl Iterator<Item = &'static str> {
    let functions = Unary::CHOICES.iter().chain(Pair::CHOICES).chain(Reduction::CHOICES);
    functions.chain(Variable::CHOICES).map(|choice| choice.name).chain([PI])
}
