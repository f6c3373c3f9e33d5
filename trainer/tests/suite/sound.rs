//! Folders of recordings as people have them, made afresh: what is read, what is said, and what is refused.
use crate::commands;
use crate::data::{open, refuses, try_open};
use brownian::host::OwnedModel;
use brownian::sound::Sound;
use brownian_trainer::graph::Shape;
use hound::{SampleFormat, WavSpec, WavWriter};
use std::fs;
use std::path::Path;

/// A burst of 200 Hz amid silence, as high as `level`.
pub fn burst(frames: usize, rate: u32, level: f32) -> Vec<f32> {
    let sine = |i: usize| (std::f32::consts::TAU * 200.0 * i as f32 / rate as f32).sin();
    let shape = |i: usize| (-((i as f32 / frames as f32 - 0.5) / 0.05).powi(2)).exp();
    (0..frames).map(|i| level * sine(i) * shape(i)).collect()
}

/// Writes a WAV whose channels are all `samples`.
pub fn write(path: &Path, samples: &[f32], rate: u32, channels: u16, bits: u16) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let sample_format = if bits == 32 { SampleFormat::Float } else { SampleFormat::Int };
    let mut file =
        WavWriter::create(path, WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format }).unwrap();
    for sample in samples.iter().flat_map(|sample| std::iter::repeat_n(*sample, channels.into())) {
        match bits {
            32 => file.write_sample(sample).unwrap(),
            _ => file.write_sample((sample * (2f32.powi(i32::from(bits) - 1) - 1.0)) as i32).unwrap(),
        }
    }
    file.finalize().unwrap();
}

#[test]
fn depths_channels_and_rates_are_one_signal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let forms = [(1, 8), (1, 16), (2, 16), (1, 24), (2, 24), (1, 32), (2, 32)];
    for (i, (channels, bits)) in forms.into_iter().enumerate() {
        write(&path.join(format!("{i}.wav")), &burst(4000, 8000, 0.7), 8000, channels, bits);
    }
    let set = open(path, &["--length", "2048"]).data;
    assert_eq!((set.len(), set.shape, set.sound.unwrap().rate), (7, Shape::new(1, 2048, 1), 8000));
    let exact = set.image(5);
    assert!(exact.iter().any(|v| v.abs() > 0.2));
    for (i, form) in forms.iter().enumerate() {
        let most = if i == 0 { 0.02 } else { 1e-3 };
        assert!(set.image(i).iter().zip(&exact[..]).all(|(a, b)| (a - b).abs() < most), "{form:?}");
    }
    let lines = open(path, &["--length", "2048"]).lines().join("\n");
    assert!(lines.contains("7 recordings of 2048 samples, 0.256 s at 8000 Hz (7 WAV)"), "{lines}");
    assert!(lines.contains("3 of 7 recordings have several channels, of which the mean is taken"), "{lines}");
    // Other rates are other numbers of the same sound.
    write(&path.join("7.wav"), &burst(22_050, 44_100, 0.7), 44_100, 1, 16);
    refuses(path, &["--length", "2048"], "0.wav has 8000 samples a second, 7.wav has 44100; give them one with --rate");
    let set = open(path, &["--length", "2048", "--rate", "8000"]);
    assert!(set.data.image(7).iter().zip(&set.data.image(5)[..]).all(|(a, b)| (a - b).abs() < 0.02));
    let lines = set.lines().join("\n");
    assert!(lines.contains("1 recordings are resampled from 8000 to 44100 samples a second to 8000"), "{lines}");
}

#[test]
fn classes_come_from_names_folders_and_tables() {
    let folder = tempfile::tempdir().unwrap();
    let names = folder.path().join("names");
    for (digit, speaker) in [(7, "ann"), (0, "ann"), (7, "bob")] {
        write(&names.join(format!("{digit}_{speaker}_1.wav")), &burst(2000, 8000, 0.5), 8000, 1, 16);
    }
    let pattern = ["--length", "1024", "--class-pattern", "{digit}_{speaker}_*"];
    let set = open(&names, &pattern);
    let labels = set.data.labels.as_ref().unwrap();
    assert_eq!(
        (&labels.axes[1].classes[..], &labels.values[..]),
        (&["ann".into(), "bob".into()][..], &[0, 0, 7, 0, 7, 1][..])
    );
    assert!(set.lines().join("\n").contains("labels from file names {digit}_{speaker}_*: digit, 8 classes: 0 1, 7 2"));
    write(&names.join("noise.wav"), &burst(2000, 8000, 0.5), 8000, 1, 16);
    refuses(&names, &pattern, "noise.wav: does not fit {digit}_{speaker}_* (--skip-broken leaves them out)");
    assert_eq!(open(&names, &[&pattern[..], &["--skip-broken"]].concat()).data.len(), 3);
    refuses(&names, &["--class-pattern", "{digit}-*"], "fits none of the files, such as 0_ann_1.wav");
    assert!(open(&names, &["--length", "1024"]).data.labels.is_none());

    let table = "file,mood\n0_ann_1.wav,sad\n7_ann_1.wav,happy\n7_bob_1.wav,sad\nnoise.wav,happy\n";
    fs::write(names.join("labels.csv"), table).unwrap();
    let set = open(&names, &["--length", "1024"]).data;
    assert_eq!(set.labels.unwrap().axes[0].classes, ["happy", "sad"]);
    refuses(&names, &pattern, "the folder has classes in labels.csv");

    let folders = folder.path().join("folders");
    for (class, frames) in [("drum", 2000), ("bell", 3000)] {
        write(&folders.join(class).join("1.wav"), &burst(frames, 8000, 0.5), 8000, 1, 16);
    }
    let set = open(&folders, &["--length", "1024", "--polarity", "class"]).data;
    assert_eq!(set.labels.unwrap().axes[0].classes, ["bell", "drum"]);
    refuses(&folders, &["--length", "1024", "--polarity", "mood"], "--polarity mood: the data have the axes class");
    refuses(&folders, &pattern, "the folder has class folders, such as bell");
    refuses(&folders, &[], "give them one with --length");
}

/// One file of each kind of trouble beside a good one.
#[test]
fn what_is_no_sound_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(&path.join("a.wav"), &burst(4000, 8000, 0.7), 8000, 1, 16);
    let good = fs::read(path.join("a.wav")).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let longer = [&good[..], &[0; 100]].concat();
    for (name, bytes, reason) in [
        ("b.wav", b"no sound".to_vec(), "b.wav: is no WAV file"),
        ("b.wav", vec![], "b.wav: is no WAV file"),
        ("b.mp3", b"ID3, and more".to_vec(), "b.mp3: is sound of another format; convert it to WAV"),
        ("b.wav", good[..30].to_vec(), "b.wav: is cut off before its samples"),
        (
            "b.wav",
            good[..2000].to_vec(),
            "b.wav: is cut off: its header promises 8000 bytes of samples, the file has 2000",
        ),
        ("b.wav", with(40, &16_000_000u32.to_le_bytes()), "b.wav: is cut off: its header promises 16000000 bytes"),
        ("b.wav", longer, "b.wav: goes on after its end: its header promises 8044 bytes, the file has 8144"),
        ("b.wav", with(40, &[0; 4]), "b.wav: does not say how many samples it has"),
        ("b.wav", with(4, &[0xff; 4]), "b.wav: does not say how many samples it has"),
        ("b.wav", with(20, &[2, 0]), "b.wav: holds compressed sound; convert it to WAV of 16 bits"),
        ("b.wav", with(24, &[1, 0, 0, 0, 2, 0, 0, 0]), "b.wav: has 1 samples a second; give 4000 to 192000"),
    ] {
        fs::write(path.join(name), bytes).unwrap();
        refuses(path, &["--length", "2048"], reason);
        let left = open(path, &["--length", "2048", "--skip-broken"]);
        assert!(left.data.len() == 1 && left.lines().join("\n").contains("left out: b."), "{reason}");
        fs::remove_file(path.join(name)).unwrap();
    }
    let nan = [&burst(4000, 8000, 0.5)[..], &[f32::NAN]].concat();
    for (samples, bits, reason) in [
        (vec![0.0; 4000], 16, "b.wav: is silent"),
        (vec![0.4; 4000], 16, "b.wav: is silent"),
        (burst(4000, 8000, 1e-4), 32, "b.wav: is silent"),
        (vec![0.1, -0.1, 0.2], 16, "b.wav: is shorter than a frame of 10 ms: 3 samples of 8000 a second"),
        (nan, 32, "b.wav: sample 4000 is not a number"),
    ] {
        write(&path.join("b.wav"), &samples, 8000, 1, bits);
        refuses(path, &["--length", "2048"], reason);
    }
    fs::remove_file(path.join("b.wav")).unwrap();
    for (option, value) in [("--size", "32"), ("--colour", "gray"), ("--range", "0..1"), ("--layout", "nhw")] {
        refuses(path, &[option, value], &format!("{option} means nothing for a folder of recordings"));
    }
    refuses(path, &["--high-pass", "5000"], "5000 Hz is not below half of 8000 samples a second");
    refuses(&path.join("a.wav"), &[], "a.wav: is a single recording; give the folder it lies in");
    assert!(try_open(path, &["--length", "2048"]).is_ok());
}

#[test]
fn what_is_doubtful_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(
        &path.join("clipped.wav"),
        &burst(4000, 8000, 3.0).iter().map(|v| v.clamp(-1.0, 1.0)).collect::<Vec<_>>(),
        8000,
        1,
        16,
    );
    write(&path.join("shifted.wav"), &burst(4000, 8000, 0.5).iter().map(|v| v + 0.3).collect::<Vec<_>>(), 8000, 1, 16);
    let lines = open(path, &["--length", "2048"]).lines().join("\n");
    assert!(lines.contains("warning: 1 recordings are clipped"), "{lines}");
    assert!(
        lines.contains("1 recordings are shifted by up to 30 % of full scale, which --high-pass takes out"),
        "{lines}"
    );
    let lines = open(path, &["--length", "2048", "--high-pass", "none"]).lines().join("\n");
    assert!(lines.contains("warning: 1 recordings are shifted by up to 30 %"), "{lines}");
    let lines = open(path, &["--length", "16384"]).lines().join("\n");
    assert!(lines.contains("warning: the longest recording has"), "{lines}");
    // As they are, where everything is switched off.
    let off = ["high-pass", "trim", "fade", "level"].map(|name| [format!("--{name}"), "none".into()]);
    let mut all: Vec<&str> = off.iter().flatten().map(String::as_str).collect();
    all.extend(["--align", "start"]);
    let set = open(path, &all).data;
    assert_eq!(set.shape, Shape::new(1, 4000, 1));
    let exact: Vec<f32> = burst(4000, 8000, 0.5).iter().map(|v| v + 0.3).collect();
    assert!(set.image(1).iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-4));
}

#[test]
fn options_of_sound_are_for_sound() {
    let folder = tempfile::tempdir().unwrap();
    image::GrayImage::from_fn(8, 8, |x, y| image::Luma([(x * y * 4) as u8])).save(folder.path().join("a.png")).unwrap();
    refuses(folder.path(), &["--length", "64"], "--length is of recordings and means nothing for");
    refuses(
        Path::new("digits"),
        &["--rate", "8000"],
        "--rate is of recordings and means nothing for the built-in data set digits",
    );
    refuses(Path::new("spoken"), &["--size", "32"], "--size means nothing for the built-in data set spoken");
}

/// From a folder of recordings to sound again, with every preset of sound.
#[test]
fn recordings_are_learned_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (class, level) in [("soft", 0.2), ("loud", 0.8)] {
        for i in 0..4 {
            let frames = 1500 + 100 * i;
            write(&path.join(format!("bursts/{class}/{i}.wav")), &burst(frames, 8000, level), 8000, 1, 16);
        }
    }
    let data = ["bursts", "--length", "512"];
    let shown = commands::succeeds(path, &[&["data"], &data[..], &["--png", "sheet.png"]].concat());
    assert!(shown.contains("8 recordings of 512 samples, 0.064 s at 8000 Hz (8 WAV)"), "{shown}");
    let sheet = image::open(path.join("sheet.png")).unwrap();
    // Two rows of twelve, each of waveform, line and spectrogram.
    assert_eq!((sheet.width(), sheet.height()), (12 * 129 + 1, 2 * (48 + 1 + 128 + 1) + 1));
    for preset in ["speech", "speech-half", "diffwave"] {
        let train = ["train", "--preset", preset, "--steps", "2", "--batch", "2", "--out", preset, "--data"];
        commands::says(path, &[&train[..], &data].concat());
        let config = fs::read_to_string(path.join(preset).join("step-000000002/run.toml")).unwrap();
        assert!(config.contains("sample_rate = 8000") && config.contains("data_scale = 6.67"), "{config}");
        let file = format!("{preset}.brn");
        commands::says(path, &["export", preset, "--out", &file, "--plan", "dpm:2"]);
        let sample = ["sample", &file, "--count", "3", "--class", "loud"];
        let written = ["--wav", "all.wav", "--wav-dir", "each", "--spectrogram", "seen.png", "--npy", "all.npy"];
        commands::says(path, &[&sample[..], &written].concat());
        let mut all = hound::WavReader::open(path.join("all.wav")).unwrap();
        assert_eq!((all.spec().sample_rate, all.duration()), (8000, 3 * (512 + 800)));
        let second: Vec<i16> = all.samples().skip(512 + 800).take(512).map(Result::unwrap).collect();
        let mut one = hound::WavReader::open(path.join("each/0001.wav")).unwrap();
        assert_eq!(one.samples::<i16>().map(Result::unwrap).collect::<Vec<_>>(), second);
        // The recordings were brought to a level, which the file says, and so are the draws.
        let model = OwnedModel::read(path.join(&file)).unwrap();
        assert_eq!(Sound::of(&model.model()), Some(Sound { rate: 8000, level: Some(0.15) }));
        let power = second.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / 512.0;
        assert!((power.sqrt() / 32_767.0 - 0.15).abs() < 0.02, "{}", power.sqrt());
        assert_eq!(fs::read_dir(path.join("each")).unwrap().count(), 3);
        assert_eq!(image::open(path.join("seen.png")).unwrap().width(), 3 * 129 + 1);
    }
    commands::says(path, &["sample", "speech.brn", "--count", "1", "--wav", "fast.wav", "--rate", "16000"]);
    assert_eq!(hound::WavReader::open(path.join("fast.wav")).unwrap().spec().sample_rate, 16_000);
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28-nano.brn");
    commands::refuses(
        path,
        &["sample", digits, "--wav", "x.wav"],
        2,
        "draws pictures of 28x28x1; sound is of height 1",
    );
    commands::refuses(
        path,
        &["sample", "speech.brn", "--npy", "x.npy", "--rate", "9000"],
        2,
        "give --wav or --wav-dir too",
    );
    commands::refuses(path, &["sample", "speech.brn", "--wav", "no/x.wav"], 1, "cannot be written");
}
