//! Digits in the terminal, for the examples.

/// Prints rows of `width` values from -1 (dark) to 1 (bright), two characters a value.
pub fn print(values: impl IntoIterator<Item = f32>, width: usize) {
    let ramp = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];
    let level = |value: f32| ramp[((value + 1.0) * 5.0).clamp(0.0, 9.0) as usize];
    let text: Vec<char> = values.into_iter().flat_map(|value| [level(value); 2]).collect();
    for row in text.chunks(2 * width) {
        println!("{}", row.iter().collect::<String>().trim_end());
    }
}
