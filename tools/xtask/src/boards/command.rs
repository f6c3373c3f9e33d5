//! The commands.

use super::build::{self, Sizes};
use super::image::Image;
use super::list::{self, Board, BOARDS};
use super::{dist, file, flash, model_file, out, packages, scenario};
use anyhow::{bail, Context, Result};
use brownian::host::OwnedModel;
use brownian_tests::shipped_model;
use clap::Args;
use comfy_table::Table;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// Which boards, and what to do with them.
#[derive(Debug, Args)]
pub struct Boards {
    /// Only these
    #[arg(value_name = "BOARD")]
    names: Vec<String>,
    /// Run them on models of their chips and compare them with the host, and their displays with the pages' pictures
    #[arg(long)]
    run: bool,
    /// Write the pages' pictures of their displays anew
    #[arg(long, requires = "run")]
    bless: bool,
}

/// A firmware, and the model that it is to run.
#[derive(Debug, Args)]
pub struct Firmware {
    /// The board; `cargo xtask boards` lists them
    board: String,
    /// A model for the flash region of its own, instead of the one that is built in
    #[arg(long, value_name = "FILE.brn")]
    model: Option<PathBuf>,
}

impl Firmware {
    /// Its model, if there is one.
    fn read(&self, board: &Board) -> Result<Option<OwnedModel>> {
        self.model.as_deref().map(|file| model_file::read(board, file)).transpose()
    }
}

/// Options of `uf2`.
#[derive(Debug, Args)]
pub struct Uf2 {
    #[command(flatten)]
    firmware: Firmware,
    /// Where to write; `brownian-BOARD.uf2` by default, or `.hex` or `.elf` where the board takes that. A name that ends in
    /// `.bin` makes such a file for a board with an STM32
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Options of `flash`.
#[derive(Debug, Args)]
pub struct Flash {
    #[command(flatten)]
    firmware: Firmware,
    /// Where the board's drive is mounted; it is looked for by default
    #[arg(long, value_name = "FOLDER")]
    drive: Option<PathBuf>,
}

/// Options of `dist`.
#[derive(Debug, Args)]
pub struct Dist {
    /// The folder to write to
    #[arg(long, value_name = "FOLDER", default_value = "dist")]
    out: PathBuf,
}

/// Builds, measures and perhaps runs boards.
pub fn boards(options: &Boards) -> Result<()> {
    let boards: Vec<&Board> = match &options.names[..] {
        [] => BOARDS.iter().collect(),
        names => names.iter().map(|name| list::find(name)).collect::<Result<_>>()?,
    };
    if options.run {
        packages::prepare(&boards)?;
    }
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header([
        "board",
        "flash",
        "RAM",
        "digests equal",
        "instructions of five steps",
        "asleep, ms",
        "probe's lines",
        "stack",
        "RAM, a step's instructions and samples of sound",
        "display",
        "s",
    ]);
    for board in boards {
        let start = Instant::now();
        let model = std::fs::read(shipped_model(board.built_in))?;
        let elf = build::firmware(board, "")?;
        let image = Image::read(&elf)?;
        let sizes = Sizes::of(&image)?;
        build::check(board, &image, &sizes)?;
        let mut row = vec![board.name.to_owned(), sizes.flash.to_string(), sizes.ram(&model).to_string()];
        if options.run && board.model.is_some() {
            let outcome = scenario::play(board, &elf).with_context(|| board.name)?;
            build::check_stack(board, outcome.stack)?;
            for pair in &outcome.pictures {
                if options.bless {
                    pair.bless()?;
                } else {
                    pair.compare(board.display, board.name).context(board.name)?;
                }
            }
            row.extend([outcome.digests.to_string(), outcome.instructions.to_string()]);
            row.push(outcome.asleep.map_or_else(|| "not told".to_owned(), |micros| (micros / 1000).to_string()));
            row.extend([outcome.probed.to_string(), outcome.stack.to_string()]);
            row.push(outcome.sound.map_or_else(String::new, |sound| {
                let ram = sizes.variables + sizes.stack + sound.memory as u64;
                format!("{ram}, {}, {}", sound.step, sound.samples)
            }));
            row.push(outcome.png.display().to_string());
        } else {
            row.resize(10, "not run".to_owned());
        }
        row.push(start.elapsed().as_secs().to_string());
        eprintln!("{}: {} s", board.name, start.elapsed().as_secs());
        table.add_row(row);
    }
    println!("{table}");
    Ok(())
}

/// Builds every board's firmware and prints what it takes of its budget, by itself, with the built-in model and with each of
/// these that is no larger; fails where a budget is exceeded or a model does not fit.
pub fn sizes(models: &[&str]) -> Result<()> {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header([
        "board",
        "flash, of",
        "variables, of",
        "stack",
        "model",
        "its flash, of",
        "its RAM, of",
        "RAM in all",
    ]);
    for board in BOARDS {
        let image = Image::read(&build::firmware(board, "")?)?;
        let (sizes, figures) = (Sizes::of(&image)?, board.figures());
        build::check(board, &image, &sizes)?;
        let built_in = OwnedModel::read(shipped_model(board.built_in))?;
        let own = (!models.contains(&board.built_in)).then_some(&board.built_in);
        for name in models.iter().chain(own) {
            let model = OwnedModel::read(shipped_model(name))?;
            if model.model().arena_len() > built_in.model().arena_len() {
                continue;
            }
            let fit = figures.fit(&model.model(), model.bytes().len());
            if let Some(excess) = fit.excess() {
                bail!("{name} does not fit the {}: {excess}", figures.title);
            }
            table.add_row([
                board.name.to_owned(),
                format!("{}, {}", sizes.flash, figures.program),
                format!("{}, {}", sizes.variables, figures.variables),
                sizes.stack.to_string(),
                (*name).to_owned(),
                format!("{}, {}", fit.flash[0], fit.flash[1]),
                format!("{}, {}", fit.ram[0], fit.ram[1]),
                sizes.ram(model.bytes()).to_string(),
            ]);
        }
    }
    println!("{table}");
    Ok(())
}

/// All boards, run where there is a model of the chip.
pub fn check() -> Result<()> {
    boards(&Boards { names: Vec::new(), run: true, bless: false })
}

/// The image of a board's firmware, with a model in its flash region if there is one.
fn image_of(board: &Board, model: Option<&OwnedModel>) -> Result<Image> {
    let mut image = Image::read(&build::firmware(board, "")?)?;
    let sizes = Sizes::of(&image)?;
    build::check(board, &image, &sizes)?;
    if let Some(model) = model {
        image.add_model(model)?;
    }
    Ok(image)
}

/// What is flashed on the board of this name.
pub fn file_of(name: &str) -> Result<Vec<u8>> {
    let board = list::find(name)?;
    file::of(board, &image_of(board, None)?)
}

/// The Rust target of the board of this name.
#[cfg(test)]
pub fn target_of(name: &str) -> Result<&'static str> {
    Ok(list::find(name)?.target)
}

/// Writes what is flashed to a file.
pub fn uf2_file(options: &Uf2) -> Result<()> {
    let board = list::find(&options.firmware.board)?;
    // First what may fail, since building takes a while.
    let path = options.out.clone().unwrap_or_else(|| file::name(board).into());
    let form = out::form(board, &path)?;
    let model = options.firmware.read(board)?;
    let image = image_of(board, model.as_ref())?;
    let bytes = file::in_form(form, &image)?;
    out::create(&path, |file| file.write_all(&bytes))?;
    match &board.drive {
        Some(drive) if form == board.file => {
            println!("{}: {}, then drop it on the drive", path.display(), drive.how);
        }
        Some(_) => println!("{}: {}", path.display(), form.taken_by()),
        None => println!("{}: the board has no drive; {}", path.display(), form.taken_by()),
    }
    if let Some(command) = options.firmware.model.as_deref().and_then(|model| board.file.model_command(model)) {
        println!("the model goes to a flash region of its own: `{command}`");
    }
    Ok(())
}

/// Drops a file on the board's drive.
pub fn flash_board(options: &Flash) -> Result<()> {
    let board = list::find(&options.firmware.board)?;
    // First what may fail, since building takes a while.
    let model = options.firmware.read(board)?;
    let drive = flash::drive(board, options.firmware.model.as_deref(), options.drive.as_deref())?;
    let path = flash::copy(board, &file::of(board, &image_of(board, model.as_ref())?)?, &drive)?;
    println!("wrote {}: the board restarts and draws", path.display());
    Ok(())
}

/// Writes the folder of all boards' files.
pub fn dist_all(options: &Dist) -> Result<()> {
    let folder =
        if options.out.is_absolute() { options.out.clone() } else { std::env::current_dir()?.join(&options.out) };
    // First what may fail, since building takes a while.
    dist::make(&folder)?;
    let images = BOARDS.iter().map(|board| Ok((board, image_of(board, None)?))).collect::<Result<Vec<_>>>()?;
    dist::write(&folder, &images)?;
    println!("{}: {} boards", folder.display(), images.len());
    Ok(())
}
