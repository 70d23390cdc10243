//! Cross-entropy with label smoothing: L = −Σ_c y_c log p_c with p = softmax(logits) and
//! y = (1 − s)·one-hot + s/classes (Szegedy et al. 2016). ∂L/∂logits = p − y.

/// Replaces each row of `logits` by its share `weight·(p − y)` of the gradient; returns the sum of L over rows.
pub(super) fn cross_entropy(logits: &mut [f32], classes: usize, labels: &[u32], smoothing: f32, weight: f32) -> f64 {
    let mut loss = 0.0;
    let uniform = smoothing / classes as f32;
    for (row, &label) in logits.chunks_exact_mut(classes).zip(labels) {
        let top = row.iter().copied().fold(f32::MIN, f32::max);
        let sum: f32 = row.iter().map(|logit| (logit - top).exp()).sum();
        let log_sum = sum.ln();
        for (class, logit) in row.iter_mut().enumerate() {
            let target = uniform + if class == label as usize { 1.0 - smoothing } else { 0.0 };
            let log_probability = *logit - top - log_sum;
            if target > 0.0 {
                loss -= f64::from(target * log_probability);
            }
            *logit = weight * (log_probability.exp() - target);
        }
    }
    loss
}
