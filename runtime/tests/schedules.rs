//! Schedule tables against values computed with more digits.

use brownian::schedule::{beta_tilde, Schedule};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Row {
    t: usize,
    beta: String,
    alpha_bar: String,
    beta_tilde: String,
}

#[test]
fn tables_agree_to_1e_12() {
    let tables: BTreeMap<String, Vec<Row>> = serde_json::from_str(include_str!("data/schedules.json")).unwrap();
    let linear = |beta_first, beta_last| Schedule::Linear { beta_first, beta_last };
    let known = [
        ("linear_T1000_1e-4_0.02", 1000, Schedule::LINEAR),
        ("cosine_T1000_s0.008_max0.999", 1000, Schedule::COSINE),
        ("linear_T100_1e-4_0.02x10", 100, linear(1e-3, 0.2)),
        ("diffwave_T50_1e-4_0.05", 50, linear(1e-4, 0.05)),
        ("diffwave_T200_1e-4_0.02", 200, linear(1e-4, 0.02)),
    ];
    assert_eq!(tables.len(), known.len());
    for (name, timesteps, schedule) in known {
        let mut alpha_bar = vec![0.0; timesteps];
        schedule.alpha_bars(&mut alpha_bar);
        for row in &tables[name] {
            let before = if row.t == 1 { 1.0 } else { alpha_bar[row.t - 2] };
            let now = alpha_bar[row.t - 1];
            let found = [schedule.beta(row.t, timesteps), now, beta_tilde(now, before)];
            let exact = [&row.beta, &row.alpha_bar, &row.beta_tilde].map(|v| v.parse::<f64>().unwrap());
            for (found, exact) in found.into_iter().zip(exact) {
                assert!((found - exact).abs() < 1e-12, "{name}, t = {}: {found} instead of {exact}", row.t);
            }
        }
    }
}
