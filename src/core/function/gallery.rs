//! Ready functions to start from, with where they come from.

/// A function of the gallery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// A short name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// What it is and the paper.
    pub about: &'static str,
}

const fn ready(name: &'static str, text: &'static str, about: &'static str) -> Ready {
    Ready { name, text, about }
}

/// The ready functions, from fixed to learned.
pub const GALLERY: &[Ready] = &[
    ready("relu", "relu(u) + 0.001", "Performer-ReLU (Choromanski et al. 2021)"),
    ready("elu + 1", "elu(u) + 1", "Katharopoulos et al. 2020"),
    ready("relu²", "relu(u)^2 + 0.001", "squared ReLU (So et al. 2021), here as a feature map"),
    ready("exp", "exp(u)", "Performer-exp, stabilised exactly (Choromanski et al. 2021)"),
    ready("softplus", "softplus(u)", "a smooth ReLU"),
    ready("sigmoid", "sigmoid(u)", "bounded features (Choromanski et al. 2021, appendix)"),
    ready("softmax of features", "exp(u)/sum(exp(u))", "features that sum to 1 (Shen et al. 2021, for queries)"),
    ready("silu", "silu(u) + 0.3", "SiLU above its least value (Hendrycks, Gimpel 2016)"),
    ready("positive", "exp(p - n/2)", "positive features, learned or random (Choromanski et al. 2021)"),
    ready("hyperbolic", "[exp(p - n/2), exp(-p - n/2)]", "positive features of both signs (Choromanski et al. 2021)"),
    ready(
        "trigonometric",
        "[cos(p), sin(p)]*exp(n/2)",
        "random Fourier features (Rahimi, Recht 2007); can be negative",
    ),
    ready("arc-cosine", "relu(p)", "the arc-cosine kernel of degree 1 (Cho, Saul 2009)"),
    ready("hedgehog", "[exp(p), exp(-p)]", "Hedgehog (Zhang et al. 2024)"),
    ready(
        "focused",
        "norm(r)*r^(1+e)/norm(r^(1+e)); r = relu(u) + 0.001; e = 2 > 0",
        "a power that keeps the norm (Han et al. 2023), learned",
    ),
    ready("tempered", "exp(a*u - c^2*u^2); a = 1; c = 0.1", "exp with a learned bend"),
    ready(
        "softplus mixture",
        "a*softplus(b*u + c)/b + d*softplus(e*u + f)/e + g*softplus(h*u + i)/h + 0.001; \
         a = 0.3333333333333333 > 0; d = 0.3333333333333333 > 0; g = 0.3333333333333333 > 0; \
         b = 1 > 0; e = 2 > 0; h = 4 > 0; c = 0; f = 0; i = 0",
        "three learned kinks, starts near ReLU",
    ),
    ready(
        "rational",
        "softplus((a + u*(b + u*(c + u*(d + u*(e + u*f)))))/(1 + abs(u*(g + u*(h + u*(i + u*j)))))) + 0.001; \
         a = 0; b = 2; c = 0; d = 0; e = 0; f = 0; g = 0; h = 0.02; i = 0; j = 0",
        "a safe Padé unit (Molina et al. 2020) inside a softplus",
    ),
    ready("smooth kink", "softplus(a*u + c)/a; a = 1 > 0; c = 0", "a softplus with a learned sharpness and place"),
];
