//! Twin of `loss.wgsl` and `loss_sum.wgsl`.

use super::Maps;

/// Equation 4 for a batch of n predictions and targets: the sum of all squared differences over n, and its gradient for
/// each prediction, 2/n times the difference.
pub fn loss(predictions: &[Maps], targets: &[Maps]) -> (f64, Vec<Maps>) {
    let n = predictions.len() as f64;
    let mut sum = 0.0;
    let gradients = predictions.iter().zip(targets).map(|(f, x)| {
        Maps::from_fn([f.channels, f.height, f.width], |c, row, column| {
            let difference = f.at(c, row, column) - x.at(c, row, column);
            sum += difference * difference;
            2.0 / n * difference
        })
    });
    let gradients = gradients.collect();
    (sum / n, gradients)
}
