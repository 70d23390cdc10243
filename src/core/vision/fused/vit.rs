//! A batch through the network: cut into slices, shared among threads, gradients summed along a fixed tree.

use super::cut::{TrainingCut, inference_images};
use super::instructions::Instructions;
use super::network::{Arena, Network, Slice};
use super::register;
use super::shape::Shape;
use super::stages::Stage;
use super::weights::Weights;
use crate::threads;
use crate::vision::config::VitConfig;
use crate::vision::error::VisionError;
use crate::vision::room::{NoMemory, reserve, zeros};
use pulp::{Simd, WithSimd};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A vision transformer's fused kernels on a pool of threads. It holds no parameters, only buffers.
pub struct FusedVit {
    config: VitConfig,
    model: Network,
    instructions: Instructions,
    /// No pool for a single thread: everything then runs on the calling thread.
    pool: Option<Arc<ThreadPool>>,
    arenas: Mutex<Vec<Arena>>,
    gradients: Mutex<Vec<Vec<f32>>>,
}

impl FusedVit {
    /// The kernels of `config` on `threads` threads (0: one per core), with the fastest instructions of this machine.
    ///
    /// # Errors
    /// The sizes of `config` do not fit together, or the system gives no threads.
    pub fn new(config: &VitConfig, threads: usize) -> Result<Self, VisionError> {
        Self::with_instructions(config, threads, Instructions::available()[0])
    }

    /// As [`Self::new`], with `instructions` (portable ones if the machine lacks them).
    ///
    /// # Errors
    /// The sizes of `config` do not fit together, or the system gives no threads.
    pub fn with_instructions(
        config: &VitConfig,
        threads: usize,
        instructions: Instructions,
    ) -> Result<Self, VisionError> {
        config.check()?;
        let threads = threads::or_default(threads);
        let pool = if threads == 1 {
            None
        } else {
            let builder = ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("fused-{index}"));
            Some(Arc::new(builder.build()?))
        };
        Ok(Self::on(config, instructions, pool))
    }

    fn on(config: &VitConfig, instructions: Instructions, pool: Option<Arc<ThreadPool>>) -> Self {
        let (arenas, gradients) = (Mutex::default(), Mutex::default());
        Self { config: config.clone(), model: Network::new(config), instructions, pool, arenas, gradients }
    }

    /// The kernels of `config`, whose sizes fit together, on the same threads.
    pub(in crate::vision) fn with(&self, config: &VitConfig) -> Self {
        Self::on(config, self.instructions, self.pool.clone())
    }

    /// Bytes that steps of `batch` images and evaluations take on `threads` threads at most, beside θ and its gradient: in
    /// buffers that are kept, and for the time of a call.
    #[must_use]
    pub fn working_bytes(config: &VitConfig, threads: usize, batch: usize) -> [u64; 2] {
        let shape = Shape::new(config);
        let attentions = Network::attentions(config, &shape);
        let room = BufferCounts::new(&shape, threads, batch);
        let arenas = room.training * Arena::len(&shape, &attentions, room.training_images, true)
            + room.inference * Arena::len(&shape, &attentions, room.inference_images, false);
        [arenas + room.gradients * config.parameters(), Weights::len(&shape)].map(|numbers| 4 * numbers as u64)
    }

    /// Bytes that evaluations of `batch` images take on `threads` threads at most, beside θ.
    #[must_use]
    pub fn inference_bytes(config: &VitConfig, threads: usize, batch: usize) -> u64 {
        let shape = Shape::new(config);
        let room = BufferCounts::new(&shape, threads, batch);
        let arena = Arena::len(&shape, &Network::attentions(config, &shape), room.inference_images, false);
        4 * (room.inference * arena + Weights::len(&shape)) as u64
    }

    /// Makes the buffers for steps of `batch` images and evaluations, which calls otherwise make as they need them.
    ///
    /// # Errors
    /// The system has no memory for them.
    pub fn make_room(&self, batch: usize) -> Result<(), NoMemory> {
        let room = BufferCounts::new(&self.model.shape, self.threads(), batch);
        for (count, images, training) in
            [(room.training, room.training_images, true), (room.inference, room.inference_images, false)]
        {
            for _ in 0..count {
                give(
                    &self.arenas,
                    Arena::build(&self.model.shape, &self.model.attentions, images, training, &mut zeros)?,
                );
            }
        }
        for _ in 0..room.gradients {
            give(&self.gradients, reserve(self.model.places.len)?);
        }
        Ok(())
    }

    /// The shape of the network.
    #[must_use]
    pub const fn config(&self) -> &VitConfig {
        &self.config
    }

    /// The instructions in use.
    #[must_use]
    pub const fn instructions(&self) -> Instructions {
        self.instructions
    }

    /// Numbers in θ.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        self.model.places.len
    }

    /// The threads it computes with; none where it computes on the calling thread.
    pub(in crate::vision) fn pool(&self) -> Option<&ThreadPool> {
        self.pool.as_deref()
    }

    /// Seconds all threads together have spent in each stage since the beginning.
    #[must_use]
    pub fn seconds(&self) -> [(Stage, f64); Stage::ALL.len()] {
        let arenas = self.arenas.lock().unwrap_or_else(PoisonError::into_inner);
        Stage::ALL.map(|stage| (stage, arenas.iter().map(|arena| arena.seconds()[stage as usize]).sum()))
    }

    /// Denominators of attention since the beginning that were not above 0, in training and inference.
    #[must_use]
    pub fn not_positive(&self) -> u64 {
        let arenas = self.arenas.lock().unwrap_or_else(PoisonError::into_inner);
        arenas.iter().map(Arena::not_positive).sum()
    }

    /// Mean cross-entropy of `patches` `[batch, tokens, patch_dim]` against `labels` with label smoothing, and its
    /// gradient with respect to `theta`, written to `gradient`; both lie as in [`Layout`].
    ///
    /// # Panics
    /// The lengths do not fit, the batch is empty, or a label is not below the number of classes.
    pub fn loss_and_gradient(
        &self,
        theta: &[f32],
        patches: &[f32],
        labels: &[u32],
        smoothing: f32,
        gradient: &mut [f32],
    ) -> f32 {
        let batch = self.check(theta, patches);
        assert!(batch > 0 && labels.len() == batch, "{} labels for a batch of {batch}", labels.len());
        assert!(labels.iter().all(|label| (*label as usize) < self.config.classes), "a label is not a class");
        assert_eq!(gradient.len(), theta.len(), "length of the gradient");
        let weights = Weights::new(&self.model.places, theta);
        let cut = TrainingCut::new(&self.model.shape, batch);
        let leaves = cut.leaves;
        let batch = Slice { patches, labels, smoothing, weight: 1.0 / batch as f32 };
        let training = Training { vit: self, weights: &weights, batch, cut };
        let (loss, sum) = match &self.pool {
            Some(pool) => pool.install(|| training.sum(0..leaves)),
            None => training.sum(0..leaves),
        };
        gradient.copy_from_slice(&sum);
        give(&self.gradients, sum);
        self.model.places.unfold(theta, gradient);
        (loss / labels.len() as f64) as f32
    }

    /// Writes the logits `[batch, classes]` of `patches` `[batch, tokens, patch_dim]` under `theta`.
    ///
    /// # Panics
    /// The lengths do not fit.
    pub fn logits(&self, theta: &[f32], patches: &[f32], out: &mut [f32]) {
        let batch = self.check(theta, patches);
        assert_eq!(out.len(), batch * self.config.classes, "length of the logits");
        let weights = Weights::new(&self.model.places, theta);
        let images = inference_images(&self.model.shape, batch, self.threads());
        let image = self.model.shape.tokens * self.model.shape.patch_dim;
        let slices = patches.chunks(images * image).zip(out.chunks_mut(images * self.config.classes));
        let one = |patches: &[f32], out: &mut [f32]| {
            self.instructions.dispatch(Inference { vit: self, weights: &weights, images, patches, out });
        };
        match &self.pool {
            Some(pool) => pool.in_place_scope(|scope| {
                for (patches, out) in slices {
                    scope.spawn(move |_| one(patches, out));
                }
            }),
            None => slices.for_each(|(patches, out)| one(patches, out)),
        }
    }

    fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Checks lengths; returns the batch.
    fn check(&self, theta: &[f32], patches: &[f32]) -> usize {
        assert_eq!(theta.len(), self.parameters(), "length of θ");
        let image = self.model.shape.tokens * self.model.shape.patch_dim;
        assert!(patches.len().is_multiple_of(image), "patches of whole images");
        patches.len() / image
    }

    /// Buffers for slices of up to `images`.
    fn arena(&self, images: usize, training: bool) -> Arena {
        take(&self.arenas, |arena| arena.serves(images, training))
            .unwrap_or_else(|| Arena::new(&self.model, images, training))
    }
}

/// How many buffers are in use at once.
struct BufferCounts {
    training: usize,
    training_images: usize,
    inference: usize,
    inference_images: usize,
    gradients: usize,
}

impl BufferCounts {
    fn new(shape: &Shape, threads: usize, batch: usize) -> Self {
        let cut = TrainingCut::new(shape, batch);
        let inference_images = inference_images(shape, batch, threads);
        Self {
            training: threads.min(cut.leaves),
            training_images: cut.slice_images.min(batch),
            inference: threads.min(batch.div_ceil(inference_images)),
            inference_images,
            gradients: cut.gradients(threads),
        }
    }
}

fn take<T>(from: &Mutex<Vec<T>>, fits: impl Fn(&T) -> bool) -> Option<T> {
    let mut all = from.lock().unwrap_or_else(PoisonError::into_inner);
    let index = all.iter().rposition(fits)?;
    Some(all.swap_remove(index))
}

fn give<T>(to: &Mutex<Vec<T>>, value: T) {
    to.lock().unwrap_or_else(PoisonError::into_inner).push(value);
}

/// One call of [`FusedVit::loss_and_gradient`].
struct Training<'a> {
    vit: &'a FusedVit,
    weights: &'a Weights<'a>,
    batch: Slice<'a>,
    cut: TrainingCut,
}

impl Training<'_> {
    /// Sum of the losses of `leaves` and of their gradients, along a binary tree that depends on nothing but `leaves`.
    fn sum(&self, leaves: Range<usize>) -> (f64, Vec<f32>) {
        if leaves.len() == 1 {
            return self.vit.instructions.dispatch(Leaf { training: self, index: leaves.start });
        }
        let middle = leaves.start + leaves.len().next_power_of_two() / 2;
        let (lower, upper) = (leaves.start..middle, middle..leaves.end);
        let ((loss, mut gradient), (other_loss, other)) = match self.vit.pool {
            Some(_) => rayon::join(|| self.sum(lower), || self.sum(upper)),
            None => (self.sum(lower), self.sum(upper)),
        };
        self.vit.instructions.dispatch(Add { from: &other, into: &mut gradient });
        give(&self.vit.gradients, other);
        (loss + other_loss, gradient)
    }
}

struct Leaf<'a> {
    training: &'a Training<'a>,
    index: usize,
}

impl WithSimd for Leaf<'_> {
    type Output = (f64, Vec<f32>);

    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Training { vit, weights, batch, cut: TrainingCut { slice_images, leaf_images, .. } } = *self.training;
        let mut gradient = take(&vit.gradients, |_| true).unwrap_or_default();
        gradient.clear();
        gradient.resize(vit.parameters(), 0.0);
        let mut arena = vit.arena(slice_images.min(batch.labels.len()), true);
        let images = self.index * leaf_images..batch.labels.len().min((self.index + 1) * leaf_images);
        let image = vit.model.shape.tokens * vit.model.shape.patch_dim;
        let patches = batch.patches[images.start * image..images.end * image].chunks(slice_images * image);
        let mut loss = 0.0;
        for (patches, labels) in patches.zip(batch.labels[images].chunks(slice_images)) {
            let slice = Slice { patches, labels, ..batch };
            loss += arena.train(simd, &vit.model, weights, slice, &mut gradient);
        }
        give(&vit.arenas, arena);
        (loss, gradient)
    }
}

struct Add<'a> {
    from: &'a [f32],
    into: &'a mut [f32],
}

impl WithSimd for Add<'_> {
    type Output = ();

    fn with_simd<S: Simd>(self, simd: S) {
        register::add(simd, self.from, self.into);
    }
}

struct Inference<'a> {
    vit: &'a FusedVit,
    weights: &'a Weights<'a>,
    images: usize,
    patches: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Inference<'_> {
    type Output = ();

    fn with_simd<S: Simd>(self, simd: S) {
        let mut arena = self.vit.arena(self.images, false);
        self.out.copy_from_slice(arena.forward(simd, &self.vit.model, self.weights, self.patches));
        give(&self.vit.arenas, arena);
    }
}
