//! Twins of `update.wgsl` and `average.wgsl`.

/// SGD with momentum (section 3.3): v <- momentum v - rate g; p <- p + v.
pub fn sgd(parameter: &mut f64, velocity: &mut f64, gradient: f64, rate: f64, momentum: f64) {
    *velocity = momentum * *velocity - rate * gradient;
    *parameter += *velocity;
}

/// Adam (Kingma and Ba 2015, algorithm 1) at step `t`, counted from 1; `moments` are the running means of the
/// gradient and of its square.
pub fn adam(
    parameter: &mut f64,
    moments: [&mut f64; 2],
    gradient: f64,
    rate: f64,
    (betas, epsilon): ([f64; 2], f64),
    t: u64,
) {
    let [m, v] = moments;
    *m = betas[0] * *m + (1.0 - betas[0]) * gradient;
    *v = betas[1] * *v + (1.0 - betas[1]) * gradient * gradient;
    let corrected = |value: f64, beta: f64| value / (1.0 - beta.powf(t as f64));
    *parameter -= rate * corrected(*m, betas[0]) / (corrected(*v, betas[1]).sqrt() + epsilon);
}

/// The running mean of a parameter after the step that has made it `parameter`, the step after `done` others. It keeps the
/// share `keep` of itself, or less as long as it has seen few steps: 2/11 in the first, 3/12 in the second and so on.
pub fn average(mean: &mut f64, parameter: f64, keep: f64, done: u64) {
    let kept = keep.min((done as f64 + 2.0) / (done as f64 + 11.0));
    *mean = kept * *mean + (1.0 - kept) * parameter;
}
