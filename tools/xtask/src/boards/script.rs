//! What the firmware must say and show, from the host's runtime.

use anyhow::{ensure, Context, Result};
use brownian::host::OwnedModel;
use brownian::Condition;
use brownian_board::demo::dither::{Dots, SIDE};
use brownian_board::demo::leds;
use brownian_board::report::Line;
use brownian_tests::draw;

/// A draw as the demo names it.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    /// The seed.
    pub seed: u64,
    /// The class.
    pub class: Option<u16>,
    /// The plan's name.
    pub plan: &'a str,
}

impl Draw<'_> {
    /// As the serial line has it.
    pub fn words(&self) -> String {
        let class = self.class.map_or("none".into(), |class| class.to_string());
        format!("seed={} class={class} plan={}", self.seed, self.plan)
    }

    fn on_host(&self, model: &OwnedModel) -> Result<brownian_tests::Chain> {
        let condition = self.class.map_or(Condition::NONE, Condition::class);
        draw(&model.model(), self.plan, condition, self.seed)
    }

    /// Compares the digests of the steps that `said` tells with the host's; `whole` draws tell all of them. Returns how
    /// many there were.
    pub fn compare(&self, model: &OwnedModel, said: &str, whole: bool) -> Result<usize> {
        let words = format!("draw {}", self.words());
        let (_, lines) = said.split_once(&words).with_context(|| format!("'{words}' was not said:\n{said}"))?;
        let expected = self.on_host(model)?.digests;
        let mut found = 0;
        for line in lines.lines().skip(1).take_while(|line| !line.starts_with("draw ")) {
            let Some(Line::Step { step, digest, .. }) = Line::parse(line) else { continue };
            ensure!(step as usize == found + 1, "{words}: step {step} after step {found}");
            let host = expected.get(found).with_context(|| format!("{words}: step {step} of {}", expected.len()))?;
            ensure!(digest == *host, "{words}: step {step} has digest {digest:08x}, the host's is {host:08x}");
            found += 1;
        }
        ensure!(found > 0 && (!whole || found == expected.len()), "{words}: {found} of {} steps", expected.len());
        Ok(found)
    }

    /// Compares the picture within `side` dots with the host's: on LEDs, level by level, and in `said` as text.
    pub fn compare_leds(&self, model: &OwnedModel, side: usize, rows: &[String], said: &str) -> Result<()> {
        let dots = Dots::within(side, self.on_host(model)?.sample.into_iter(), model.model().shape());
        let levels =
            leds::levels(&dots).map(|row| row.map(|level| char::from(b'0' + level)).iter().collect::<String>());
        ensure!(rows == levels, "{}: the LEDs show {rows:?}, the host {levels:?}", self.words());
        let text: String = leds::lines(&dots).map(|line| format!("{line}\r\n")).collect();
        ensure!(said.contains(&text), "{}: the picture was not said:\n{text}", self.words());
        Ok(())
    }

    /// Compares the image on the display with the host's, dot by dot.
    pub fn compare_display(&self, model: &OwnedModel, rows: &[String]) -> Result<()> {
        let shape = model.model().shape();
        let dots = Dots::of_image(self.on_host(model)?.sample.into_iter(), shape);
        let corner = [dots.width(), dots.height()].map(|side| (SIDE - side) / 2);
        for (y, row) in rows.iter().enumerate() {
            for (x, dot) in row.chars().take(SIDE).enumerate() {
                let host = x.checked_sub(corner[0]).zip(y.checked_sub(corner[1]));
                let host = host.is_some_and(|(x, y)| dots.is_light(x, y));
                ensure!((dot == '#') == host, "{}: dot ({x}, {y}) of the display differs", self.words());
            }
        }
        let text = rows.iter().flat_map(|row| row.chars().skip(SIDE)).filter(|&dot| dot == '#').count();
        ensure!(rows.len() == 64 && text > 300, "the display shows no text: {text} dots");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right digests pass; one that differs, one that is missing and another draw's are named.
    #[test]
    fn a_digest_that_differs_is_named() {
        let model = OwnedModel::read(brownian_tests::shipped_model("digits28-nano")).unwrap();
        let draw = Draw { seed: 7, class: Some(3), plan: "fast5" };
        let digests = draw.on_host(&model).unwrap().digests;
        let mut said = format!("display answers\ndraw {}\n", draw.words());
        for (step, digest) in digests.iter().enumerate() {
            said += &Line::Step { step: step as u32 + 1, digest: *digest, ticks: 9 }.to_string();
            said += "\r\n";
        }
        assert_eq!(draw.compare(&model, &said, true).unwrap(), 5);
        assert_eq!(draw.compare(&model, &format!("{said}draw seed=8\nstep 1 digest 0 ticks 1"), true).unwrap(), 5);
        let wrong = said.replace(&format!("{:08x}", digests[2]), "00000000");
        assert!(draw.compare(&model, &wrong, true).unwrap_err().to_string().contains("step 3 has digest 00000000"));
        let short = said.split("step 4").next().unwrap();
        assert!(draw.compare(&model, short, true).unwrap_err().to_string().contains("3 of 5 steps"));
        assert_eq!(draw.compare(&model, short, false).unwrap(), 3);
        let other = Draw { seed: 8, ..draw };
        assert!(other.compare(&model, &said, true).unwrap_err().to_string().contains("was not said"));
    }

    /// A LED of another level is named, and so is a text that is missing.
    #[test]
    fn a_led_that_differs_is_named() {
        let model = OwnedModel::read(brownian_tests::shipped_model("digits28-nano")).unwrap();
        let draw = Draw { seed: 7, class: Some(3), plan: "fast5" };
        let dots = Dots::of_image(draw.on_host(&model).unwrap().sample.into_iter(), [28, 28, 1]);
        let said: String = leds::lines(&dots).map(|line| format!("{line}\r\n")).collect();
        let mut rows: Vec<String> =
            leds::levels(&dots).iter().map(|row| row.iter().map(u8::to_string).collect()).collect();
        assert!(rows.concat().contains('7'), "{rows:?}");
        draw.compare_leds(&model, SIDE, &rows, &said).unwrap();
        assert!(draw.compare_leds(&model, SIDE, &rows, &said[1..]).unwrap_err().to_string().contains("was not said"));
        rows[4] = "9".repeat(5);
        assert!(draw.compare_leds(&model, SIDE, &rows, &said).unwrap_err().to_string().contains("\"99999\""));
    }

    /// A dot too many is named.
    #[test]
    fn a_dot_that_differs_is_named() {
        let model = OwnedModel::read(brownian_tests::shipped_model("digits28-nano")).unwrap();
        let draw = Draw { seed: 7, class: Some(3), plan: "fast5" };
        let dots = Dots::of_image(draw.on_host(&model).unwrap().sample.into_iter(), [28, 28, 1]);
        let dot = |x: usize, y: usize| x >= 64 || (x >= 4 && y >= 4 && dots.is_light(x - 4, y - 4));
        let row = |y| (0..128).map(|x| if dot(x, y) { '#' } else { '.' }).collect::<String>();
        let mut rows: Vec<String> = (0..64).map(row).collect();
        draw.compare_display(&model, &rows).unwrap();
        rows[0].replace_range(0..1, "#");
        assert!(draw.compare_display(&model, &rows).unwrap_err().to_string().contains("dot (0, 0)"));
    }
}
