//! Where is a smooth function of a few positive parameters largest? Damped Newton steps on their logarithms.
//!
//! The gradient is given, the curvature taken from its differences. Deterministic: no random starts.

/// The value at a point, and its derivatives by the logarithms of the parameters.
pub type Slope<const N: usize> = (f64, [f64; N]);

/// Most steps that are tried.
const STEPS_MAX: usize = 200;
/// Where the value has no maximum it climbs ever slower along a ridge: a point there does when so many steps …
const STEPS_ON_RIDGE: usize = 50;
/// … have gained less than this, in units of log-likelihood.
const GAINED_ON_RIDGE: f64 = 1e-2;
/// Half the distance at which curvature is taken.
const APART: f64 = 1e-4;
/// Largest and smallest logarithm of a parameter; beyond, the likelihood is flat.
const FARTHEST: f64 = 16.0;
/// The largest slope that counts as none, relative to the value.
const FLAT: f64 = 1e-12;

/// The parameters at the maximum, or where the value hardly rises any more, and the value there; `None` when neither
/// is reached.
pub fn maximise<const N: usize>(
    start: [f64; N],
    slope: impl Fn(&[f64; N]) -> Slope<N>,
) -> Option<([f64; N], f64)> {
    let at = |logs: &[f64; N]| slope(&logs.map(libm::exp));
    let mut logs = start.map(libm::log);
    let (mut value, mut gradient) = at(&logs);
    let mut damping = 1.0;
    let mut before_ridge = value;
    for number in 0..STEPS_MAX {
        if number == STEPS_MAX - STEPS_ON_RIDGE {
            before_ridge = value;
        }
        if !value.is_finite() {
            return None;
        }
        let steepest = gradient.iter().fold(0.0, |most: f64, part| most.max(part.abs()));
        if steepest <= FLAT * value.abs() {
            return Some((logs.map(libm::exp), value));
        }
        let curvature = curvature(&logs, &at);
        let mut moved = false;
        while damping < 1e12 && !moved {
            let step = step(&curvature, &gradient, damping * value.abs().max(1.0) * 1e-3);
            let next =
                std::array::from_fn(|i| (logs[i] + step[i].clamp(-2.0, 2.0)).clamp(-FARTHEST, FARTHEST));
            let (found, slope) = at(&next);
            if found > value {
                (logs, value, gradient, moved) = (next, found, slope, true);
                damping *= 0.1;
            } else {
                damping *= 10.0;
            }
        }
        if !moved {
            // Rounding hides the last bit of the way: as far as can be told this is the maximum.
            return Some((logs.map(libm::exp), value));
        }
    }
    (value - before_ridge < GAINED_ON_RIDGE).then(|| (logs.map(libm::exp), value))
}

fn curvature<const N: usize>(logs: &[f64; N], at: &impl Fn(&[f64; N]) -> Slope<N>) -> [[f64; N]; N] {
    let mut rows = [[0.0; N]; N];
    for (i, row) in rows.iter_mut().enumerate() {
        let beside = |by: f64| {
            let mut logs = *logs;
            logs[i] += by;
            at(&logs).1
        };
        let (above, below) = (beside(APART), beside(-APART));
        *row = std::array::from_fn(|j| (above[j] - below[j]) / (2.0 * APART));
    }
    std::array::from_fn(|i| std::array::from_fn(|j| 0.5 * (rows[i][j] + rows[j][i])))
}

/// Solves `(damping − curvature) step = gradient` by elimination with pivots.
fn step<const N: usize>(curvature: &[[f64; N]; N], gradient: &[f64; N], damping: f64) -> [f64; N] {
    let mut matrix: [[f64; N]; N] = std::array::from_fn(|i| {
        std::array::from_fn(|j| if i == j { damping - curvature[i][j] } else { -curvature[i][j] })
    });
    let mut right = *gradient;
    for column in 0..N {
        let pivot = (column..N)
            .max_by(|i, j| matrix[*i][column].abs().total_cmp(&matrix[*j][column].abs()))
            .unwrap_or(column);
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in column + 1..N {
            let factor = matrix[row][column] / matrix[column][column];
            let above = matrix[column];
            for (cell, above) in matrix[row].iter_mut().zip(above).skip(column) {
                *cell -= factor * above;
            }
            right[row] -= factor * right[column];
        }
    }
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|k| matrix[row][k] * right[k]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}
