//! Throughput of the fused vision transformer: images a second in training and inference, the share of the roofline
//! (products alone at the rate `gemm` reaches in the same run), and the time by stage.
//!
//! ```text
//! cargo bench --bench vit -- [--threads N] [--seconds S] [--cpu] [FILTER]
//! ```
//!
//! FILTER keeps the shapes whose name begins with it ("relu 49"). `--cpu` (Linux) counts the time one thread spends on the
//! processor instead of the time on the wall: for machines that are busy with other things.

use attnlab::attention::Projection;
use attnlab::product::product;
use attnlab::vision::fused::{FusedVit, Instructions, Stage};
use attnlab::vision::{
    Attention, AttentionKernel, BlockSet, FavorEstimator, FavorMap, Init, Layout, TypedMap, VitConfig,
};
use ndarray::Array2;
use rand::Rng;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Options {
    threads: usize,
    seconds: f64,
    cpu: bool,
    filter: String,
}

impl Options {
    fn read() -> Result<Self, String> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut options = Self { threads, seconds: 1.0, cpu: false, filter: String::new() };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = |name: &str| {
                let value = words.next().ok_or(format!("{name} needs a number"))?;
                value
                    .parse::<f64>()
                    .ok()
                    .filter(|value| *value > 0.0)
                    .ok_or(format!("{name}: `{value}` is no number above 0"))
            };
            match word.as_str() {
                "--threads" => options.threads = (number("--threads")? as usize).max(1),
                "--seconds" => options.seconds = number("--seconds")?,
                "--cpu" => options.cpu = true,
                "--bench" => {}
                _ => options.filter = word,
            }
        }
        if options.cpu {
            options.threads = 1;
        }
        Ok(options)
    }

    /// Seconds of the chosen clock.
    fn now(&self, start: Instant) -> f64 {
        if !self.cpu {
            return start.elapsed().as_secs_f64();
        }
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        text.split(' ').next().and_then(|field| field.parse::<f64>().ok()).expect("--cpu needs Linux") * 1e-9
    }

    /// Seconds a call: the median on the wall, the mean on the processor, whose clock ticks slowly.
    fn time(&self, mut call: impl FnMut()) -> f64 {
        call();
        let start = Instant::now();
        let first = self.now(start);
        let mut last = first;
        let mut all = Vec::new();
        while last - first < self.seconds || all.len() < 3 {
            call();
            let now = self.now(start);
            all.push(now - last);
            last = now;
        }
        if self.cpu {
            return (last - first) / all.len() as f64;
        }
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    }

    /// Multiply-adds a second of products alone, all threads at once, each on matrices of its own in the second-level
    /// cache: rows of a slice through a layer of the network.
    fn ceiling(&self) -> f64 {
        let (rows, input, output, repeats) = (196, 64, 192, 200);
        let one = || {
            let x = Array2::from_elem((rows, input), 0.5_f32);
            let weight = Array2::from_elem((input, output), 0.25_f32);
            let mut y = Array2::<f32>::zeros((rows, output));
            let seconds = self.time(|| {
                for _ in 0..repeats {
                    product(x.view(), weight.view(), y.view_mut(), 0.0);
                }
            });
            (repeats * rows * input * output) as f64 / seconds
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a product does not panic")).sum()
        })
    }
}

/// Multiply-adds of one image, forward.
fn multiply_adds(config: &VitConfig) -> f64 {
    let [tokens, dim, hidden] = [config.tokens(), config.dim, config.hidden()].map(|size| size as f64);
    let mixed = match config.attention {
        Attention::Kernel(AttentionKernel::Softmax) => tokens,
        Attention::Kernel(_) => config.head_dim() as f64,
        Attention::Typed(map) => map.features(config.head_dim()) as f64,
        // Queries and keys are projected on m rows first.
        Attention::Favor(map) => (map.m() + map.features()) as f64,
    };
    let block = tokens * (4.0 * dim * dim + 2.0 * dim * hidden) + 2.0 * tokens * dim * mixed;
    tokens * config.patch_dim() as f64 * dim + config.depth as f64 * block
}

/// Shipped kernels written as functions, and one of 30 operations.
const FUNCTIONS: &[(&str, &str)] = &[
    ("custom relu", "relu(u) + 0.001"),
    ("custom exp", "exp(u)"),
    (
        "custom softplus",
        "a*softplus(b*u + c)/b + d*softplus(e*u + f)/e + g*softplus(h*u + i)/h + 0.001; \
         a = 0.3333333333333333 > 0; d = 0.3333333333333333 > 0; g = 0.3333333333333333 > 0; \
         b = 1 > 0; e = 2 > 0; h = 4 > 0; c = 0; f = 0; i = 0",
    ),
    (
        "custom long",
        "relu(a*u + b) + relu(c*u + d)^2 + sigmoid(e*u) + 0.1*tanh(f*u)^2 + g*softplus(u - 1) + exp(-u^2) + 1/(1 + u^2) \
         + 0.01*abs(u) + 0.001; a = 1; b = 0; c = 1; d = 0; e = 1; f = 1; g = 1 > 0",
    ),
];

/// Positive random features of so many projections, the width of a head among them.
const PROJECTIONS: &[usize] = &[16, 64, 256];

/// Every kernel, the functions, and random features.
fn attentions() -> impl Iterator<Item = Attention> {
    let favor = |m: &usize| FavorMap::new(FavorEstimator::Positive, Projection::Orthogonal, *m);
    let favor = PROJECTIONS.iter().map(move |m| Attention::Favor(favor(m).expect("positive features of any rows")));
    let typed = |(_, text): &(&str, &str)| Attention::Typed(TypedMap::new(text, None).expect("a function"));
    AttentionKernel::ALL.iter().map(|kernel| (*kernel).into()).chain(FUNCTIONS.iter().map(typed)).chain(favor)
}

fn name(config: &VitConfig) -> String {
    let (tokens, patch) = (config.tokens(), config.patch_dim());
    let VitConfig { attention, dim, heads, depth, .. } = config;
    let same = |(_, text): &&(&str, &str)| TypedMap::new(text, None).ok() == attention.typed();
    let typed = attention.typed().and_then(|_| FUNCTIONS.iter().find(same));
    let attention = match attention.favor() {
        Some(map) => format!("{} m={}", attention.name(), map.m()),
        None => typed.map_or(attention.name(), |(name, _)| name).to_owned(),
    };
    format!("{attention} {tokens} dim {dim} heads {heads} depth {depth} patch {patch}")
}

/// Parameters as a fresh model has them, a batch, and its labels.
fn inputs(config: &VitConfig, batch: usize) -> (Vec<f32>, Vec<f32>, Vec<u32>) {
    let mut random = attnlab::random::generator(0, "bench", 0);
    let layout = Layout::new(config);
    let mut theta = vec![0.0; layout.len()];
    for entry in layout.entries() {
        let (centre, bound) = match entry.init {
            Init::Ones => (1.0, 0.1),
            Init::Normal(bound) | Init::Uniform(bound) => (0.0, bound),
            _ => (0.0, 0.1),
        };
        theta[entry.range()].fill_with(|| centre + random.random_range(-bound..=bound));
        if let (Init::Drawn, Some(map)) = (&entry.init, config.attention.favor()) {
            for head in theta[entry.range()].chunks_exact_mut(entry.shape[1]) {
                head.copy_from_slice(&map.draw(config.head_dim(), &mut random).expect("projections"));
            }
        }
        if let Init::Rows(row) = &entry.init {
            theta[entry.range()].chunks_exact_mut(row.len()).for_each(|head| head.copy_from_slice(row));
        }
    }
    let numbers = batch * config.tokens() * config.patch_dim();
    let patches = (0..numbers).map(|_| random.random_range(-1.7..1.7)).collect();
    (theta, patches, (0..batch).map(|_| random.random_range(0..config.classes as u32)).collect())
}

fn measure(options: &Options, config: &VitConfig, batch: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (theta, patches, labels) = inputs(config, batch);
    let vit = FusedVit::new(config, options.threads)?;
    let (mut gradient, mut logits) = (vec![0.0; theta.len()], vec![0.0; batch * config.classes]);
    let train = options.time(|| {
        vit.loss_and_gradient(&theta, &patches, &labels, 0.0, &mut gradient);
    });
    let stages = vit.seconds();
    let infer = options.time(|| vit.logits(&theta, &patches, &mut logits));

    let ceiling = options.ceiling();
    let share = |seconds: f64, passes: f64| 100.0 * passes * multiply_adds(config) * batch as f64 / seconds / ceiling;
    let (train_share, infer_share) = (share(train, 3.0), share(infer, 1.0));
    let (train, infer) = (batch as f64 / train, batch as f64 / infer);
    println!("{:46} {train:8.0} img/s {train_share:3.0} %   {infer:8.0} img/s {infer_share:3.0} %", name(config));
    let total: f64 = stages.iter().map(|(_, seconds)| seconds).sum();
    let parts = stages.map(|(stage, seconds)| format!("{} {:.0} %", Stage::name(stage), 100.0 * seconds / total));
    println!("    training by stage: {}", parts.join(", "));
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::read()?;
    let (threads, instructions) = (options.threads, Instructions::available()[0]);
    println!("threads {threads}, {instructions}, products alone {:.0} GFLOP/s", 2e-9 * options.ceiling());
    println!("{:46} {:>20}   {:>20}", "shape", "training, roofline", "inference, roofline");
    let base = VitConfig {
        channels: 1,
        image_size: 28,
        patch: 4,
        dim: 64,
        depth: 4,
        heads: 4,
        mlp_ratio: 2,
        classes: 10,
        attention: AttentionKernel::Softmax.into(),
        softmax_blocks: BlockSet::NONE,
        mask_dim: 0,
    };
    let large = VitConfig { channels: 3, image_size: 32, dim: 192, depth: 12, ..base.clone() };
    let shapes = [
        (base.clone(), 64),
        (VitConfig { image_size: 56, ..base.clone() }, 64),
        (VitConfig { image_size: 112, ..base.clone() }, 16),
        (VitConfig { heads: 2, ..base.clone() }, 64),
        (VitConfig { heads: 1, ..base }, 64),
        (VitConfig { heads: 6, ..large.clone() }, 64),
        (VitConfig { heads: 3, ..large }, 64),
    ];
    for (shape, batch) in shapes {
        for attention in attentions() {
            let config = VitConfig { attention, ..shape.clone() };
            if name(&config).starts_with(&options.filter) {
                measure(&options, &config, batch)?;
            }
        }
    }
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))
    {
        println!("peak memory {}", peak.trim());
    }
    Ok(())
}
