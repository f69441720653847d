//! Logistic regression with a ridge, by Newton's method.

const MAX_STEPS: usize = 50;
const TOLERANCE: f64 = 1e-9;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit<const N: usize> {
    pub intercept: f64,
    pub weights: [f64; N],
}

impl<const N: usize> Fit<N> {
    pub fn logit(&self, row: &[f64; N]) -> f64 {
        self.intercept + self.weights.iter().zip(row).map(|(weight, x)| weight * x).sum::<f64>()
    }
}

pub fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// The weights that explain the labels best, with a penalty of `ridge` / 2 times the square of each weight of a
/// standardised feature; none on the intercept.
#[allow(clippy::cast_precision_loss, reason = "a few thousand rows")]
pub fn fit<const N: usize>(rows: &[[f64; N]], labels: &[bool], ridge: f64) -> Fit<N> {
    let count = (rows.len() as f64).max(1.0);
    let means: [f64; N] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at]).sum::<f64>() / count);
    let spreads: [f64; N] = std::array::from_fn(|at| {
        let sum: f64 = rows.iter().map(|row| (row[at] - means[at]).powi(2)).sum();
        (sum / count).sqrt()
    });
    // The intercept is first. What is the same everywhere explains nothing.
    let standard: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            let scaled = (0..N).map(|at| {
                if spreads[at] > 1e-12 { (row[at] - means[at]) / spreads[at] } else { 0.0 }
            });
            std::iter::once(1.0).chain(scaled).collect()
        })
        .collect();
    let mut weights = vec![0.0; N + 1];
    for _ in 0..MAX_STEPS {
        let mut gradient: Vec<f64> = weights.iter().map(|weight| -ridge * weight).collect();
        gradient[0] = 0.0;
        let mut hessian = vec![vec![0.0; N + 1]; N + 1];
        for (at, line) in hessian.iter_mut().enumerate() {
            line[at] = if at == 0 { 1e-9 } else { ridge };
        }
        for (row, won) in standard.iter().zip(labels) {
            let logit: f64 = row.iter().zip(&weights).map(|(x, weight)| x * weight).sum();
            let chance = sigmoid(logit);
            let error = f64::from(u8::from(*won)) - chance;
            let curve = chance * (1.0 - chance);
            for (i, x) in row.iter().enumerate() {
                gradient[i] += error * x;
                for (j, y) in row.iter().enumerate().take(i + 1) {
                    hessian[i][j] += curve * x * y;
                }
            }
        }
        let Some(step) = solve(hessian, gradient) else { break };
        // One that is too long overshoots, where the labels are almost separable.
        let length = step.iter().fold(0.0_f64, |longest, one| longest.max(one.abs()));
        let scale = if length > 2.0 { 2.0 / length } else { 1.0 };
        for (weight, one) in weights.iter_mut().zip(&step) {
            *weight += scale * one;
        }
        if length < TOLERANCE {
            break;
        }
    }
    let raw: [f64; N] =
        std::array::from_fn(
            |at| {
                if spreads[at] > 1e-12 { weights[at + 1] / spreads[at] } else { 0.0 }
            },
        );
    let shift: f64 = raw.iter().zip(&means).map(|(weight, mean)| weight * mean).sum();
    Fit { intercept: weights[0] - shift, weights: raw }
}

/// The solution of a system whose matrix is symmetric and positive, by Cholesky; the lower triangle is given.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| matrix[i][k] * matrix[j][k]).sum();
            let rest = matrix[i][j] - known;
            matrix[i][j] = if i == j {
                if !(rest.is_finite() && rest > 0.0) {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / matrix[j][j]
            };
        }
    }
    for i in 0..size {
        let known: f64 = (0..i).map(|k| matrix[i][k] * right[k]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|k| matrix[k][i] * right[k]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    Some(right)
}

/// The area under the ROC curve: how often one that converted is before one that was lost, of all pairs; a tie is half.
/// None where there is only one kind.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a few thousand rows")]
pub fn auc(scores: &[f64], labels: &[bool]) -> Option<f64> {
    let mut order: Vec<_> = scores.iter().copied().zip(labels.iter().copied()).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let won = order.iter().filter(|(_, won)| *won).count() as f64;
    let lost = order.len() as f64 - won;
    if won == 0.0 || lost == 0.0 {
        return None;
    }
    let mut pairs = 0.0;
    let mut below = 0.0;
    for tied in order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let wins = tied.iter().filter(|(_, won)| *won).count() as f64;
        let losses = tied.len() as f64 - wins;
        pairs += wins * (below + losses / 2.0);
        below += losses;
    }
    Some(pairs / (won * lost))
}
