//! Schedule tables against values computed with more digits.

use brownian::plan::schedule::{beta_tilde, rescale_to_zero_terminal_snr, Schedule};
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
    let sigmoid = Schedule::Sigmoid { start: 0.0, end: 3.0, tau: 0.7, max_beta: 0.999 };
    let known = [
        ("linear_T1000_1e-4_0.02", 1000, Schedule::LINEAR, false),
        ("cosine_T1000_s0.008_max0.999", 1000, Schedule::COSINE, false),
        ("linear_T100_1e-4_0.02x10", 100, linear(1e-3, 0.2), false),
        ("diffwave_T50_1e-4_0.05", 50, linear(1e-4, 0.05), false),
        ("diffwave_T200_1e-4_0.02", 200, linear(1e-4, 0.02), false),
        ("sigmoid_T1000_-3_3_1", 1000, Schedule::SIGMOID, false),
        ("sigmoid_T50_0_3_0.7", 50, sigmoid, false),
        ("zero_terminal_linear_T1000", 1000, Schedule::LINEAR, true),
        ("zero_terminal_cosine_T1000", 1000, Schedule::COSINE, true),
        ("zero_terminal_sigmoid_T1000", 1000, Schedule::SIGMOID, true),
    ];
    assert_eq!(tables.len(), known.len());
    for (name, timesteps, schedule, zero_terminal_snr) in known {
        let mut alpha_bar = vec![0.0; timesteps];
        schedule.alpha_bars(&mut alpha_bar);
        if zero_terminal_snr {
            let first = alpha_bar[0];
            rescale_to_zero_terminal_snr(&mut alpha_bar);
            assert_eq!((alpha_bar[0], alpha_bar[timesteps - 1]), (first, 0.0));
        }
        for row in &tables[name] {
            let before = if row.t == 1 { 1.0 } else { alpha_bar[row.t - 2] };
            let now = alpha_bar[row.t - 1];
            let beta = if zero_terminal_snr { 1.0 - now / before } else { schedule.beta(row.t, timesteps) };
            let found = [beta, now, beta_tilde(now, before)];
            let exact = [&row.beta, &row.alpha_bar, &row.beta_tilde].map(|v| v.parse::<f64>().unwrap());
            for (found, exact) in found.into_iter().zip(exact) {
                assert!((found - exact).abs() < 1e-12, "{name}, t = {}: {found} instead of {exact}", row.t);
            }
        }
    }
}

#[test]
fn rescaling_keeps_the_order_and_short_tables() {
    for schedule in [Schedule::LINEAR, Schedule::COSINE, Schedule::SIGMOID] {
        for timesteps in [2, 7, 1000] {
            let mut alpha_bar = vec![0.0; timesteps];
            schedule.alpha_bars(&mut alpha_bar);
            rescale_to_zero_terminal_snr(&mut alpha_bar);
            assert!(alpha_bar.windows(2).all(|w| w[1] < w[0]), "{schedule:?}, T = {timesteps}");
        }
    }
    let mut one = [0.3];
    rescale_to_zero_terminal_snr(&mut one);
    rescale_to_zero_terminal_snr(&mut []);
    assert_eq!(one, [0.3]);
}
