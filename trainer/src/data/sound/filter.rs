//! Filters and resampling.
use biquad::{Biquad, Coefficients, DirectForm2Transposed, Type, Q_BUTTERWORTH_F64};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters};

/// Samples that are resampled at a time.
const CHUNK: usize = 1024;

/// What a filter lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// What is higher.
    High,
    /// What is lower.
    Low,
}

/// `samples` through a Butterworth filter of second order, forwards and backwards, so that nothing moves; at `hertz`
/// below half the rate the two take 6 dB together.
///
/// # Errors
/// A frequency at or above half the rate.
pub fn filtered(samples: &[f32], rate: u32, pass: Pass, hertz: f64) -> Result<Vec<f32>, String> {
    let kind = if pass == Pass::High { Type::HighPass } else { Type::LowPass };
    let relative = 2.0 * hertz / f64::from(rate);
    let coefficients = Coefficients::<f64>::from_normalized_params(kind, relative, Q_BUTTERWORTH_F64)
        .map_err(|_| format!("{hertz} Hz is not below half of {rate} samples a second"))?;
    let mut values: Vec<f64> = samples.iter().map(|sample| f64::from(*sample)).collect();
    for _ in 0..2 {
        let mut filter = DirectForm2Transposed::<f64>::new(coefficients);
        values.iter_mut().for_each(|value| *value = filter.run(*value));
        values.reverse();
    }
    Ok(values.into_iter().map(|value| value as f32).collect())
}

/// `samples` of `from` a second as samples of `to` a second, with what the lower rate cannot hold taken out.
///
/// # Errors
/// Rates that have too little in common.
pub fn resampled(samples: &[f32], from: u32, to: u32) -> Result<Vec<f32>, String> {
    if from == to {
        return Ok(samples.to_vec());
    }
    let failed = |e: String| format!("cannot be resampled from {from} to {to} samples a second: {e}");
    let (ratio, filter) = (f64::from(to) / f64::from(from), SincInterpolationParameters::default());
    let mut resampler =
        Async::<f64>::new_sinc(ratio, 1.0, &filter, CHUNK, 1, FixedAsync::Input).map_err(|e| failed(e.to_string()))?;
    // The first value lies half a filter before the first sample and one step later. Silence before the samples makes
    // the half a whole number of samples at both rates.
    let delay = filter.sinc_len / 2;
    let lead = (delay + from.div_ceil(to) as usize).next_multiple_of((from / common_divisor(from, to)) as usize);
    let early = (lead as u64 * u64::from(to) / u64::from(from)) as usize - resampler.output_delay() - 1;
    let silence = std::iter::repeat_n(0.0, lead - delay);
    let values: Vec<f64> = silence.chain(samples.iter().map(|sample| f64::from(*sample))).collect();
    let input = InterleavedSlice::new(&values, 1, values.len()).map_err(|e| failed(e.to_string()))?;
    let output = resampler.process_all(&input, values.len(), None).map_err(|e| failed(e.to_string()))?;
    Ok(output.take_data().into_iter().skip(early).map(|value| value as f32).collect())
}

/// The largest number that both are multiples of.
fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate: u32, hertz: f64, len: usize) -> Vec<f32> {
        (0..len).map(|i| (std::f64::consts::TAU * hertz * i as f64 / f64::from(rate)).sin() as f32).collect()
    }

    fn rms(samples: &[f32]) -> f64 {
        (samples.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }

    #[test]
    fn filters_pass_what_they_should_and_move_nothing() {
        let (low, high) = (sine(8000, 20.0, 8000), sine(8000, 1000.0, 8000));
        let through = |samples: &[f32], pass| filtered(samples, 8000, pass, 60.0).unwrap();
        assert!(rms(&through(&low, Pass::High)) < 0.02 && rms(&through(&high, Pass::Low)) < 0.01);
        let same = through(&high, Pass::High);
        assert!(same[500..7500].iter().zip(&high[500..7500]).all(|(a, b)| (a - b).abs() < 0.01));
        assert!(filtered(&low, 8000, Pass::High, 4000.0).unwrap_err().contains("not below half of 8000"));
    }

    #[test]
    fn a_resampled_sine_is_the_sine() {
        for from in [11_025, 16_000, 44_100, 48_000] {
            let there = resampled(&sine(from, 440.0, from as usize / 2), from, 8000).unwrap();
            assert!((there.len() as i64 - 4000).abs() <= 1, "{from}: {}", there.len());
            let expected = sine(8000, 440.0, there.len());
            let middle = 400..there.len() - 400;
            let error = there[middle.clone()].iter().zip(&expected[middle]).map(|(a, b)| (a - b).abs());
            assert!(error.fold(0.0, f32::max) < 0.01, "{from}");
            // What 8 kHz cannot hold is gone, not folded down.
            if from > 14_000 {
                let there = resampled(&sine(from, 5500.0, from as usize / 2), from, 8000).unwrap();
                assert!(rms(&there[400..3600]) < 0.01, "{from}");
            }
        }
    }
}
