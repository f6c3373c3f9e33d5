//! The model file, pinned byte by byte.

use brownian::format::{Conditioning, Element, Header, PlanHeader, PlanRules, Process, Tensor};
use brownian::host::{encode, encode_item, AlignedBytes, OwnedModel};
use brownian::ops::{Conv2d, ConvInput, Op, Requantization, WindowSpec};
use brownian::plan::{Level, Start, Step};
use brownian::{Model, ParseError};

const LEVEL: Level = Level { signal: 0.75, noise: 0.625 };

/// One convolution over a 2×2 image, one plan of one step.
fn pinned_model() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let input = Tensor { offset: 0, shape: [2, 2, 1], element: Element::I8, zero_point: -3 };
    let output = Tensor { offset: 4, shape: [2, 2, 1], element: Element::I16, zero_point: 0 };
    let conv = Op::Conv2d(Conv2d {
        a: ConvInput { tensor: input, upsample: false },
        b: None,
        output,
        window: WindowSpec { kernel: [1, 1], stride: [1, 1], pad: [0, 0], dilation: [1, 1] },
        groups: 1,
        weights: 0,
        requantization: Requantization {
            bias: 16,
            multipliers: 32,
            offset: 64,
            shift: 7,
            step_bias: None,
            residual: None,
            lut: None,
        },
        scratch: 12,
    });
    let (mut ops, mut plans) = (vec![], vec![]);
    encode_item(&conv, &mut ops).unwrap();
    let plan = PlanHeader { name: "one", steps: 1, table: 48, rules: PlanRules::new(true, Start::Normal) };
    encode_item(&plan, &mut plans).unwrap();
    let step =
        Step { timestep: 9, time_row: 0, k_x: 1.0, k_eps: -0.5, a: 0.0, b: 1.0, c: 0.0, sigma: 0.0, level: LEVEL };
    let mut blob = vec![0; 96];
    blob[0] = 5;
    blob[16..20].copy_from_slice(&1000i32.to_le_bytes());
    blob[32..34].copy_from_slice(&12345i16.to_le_bytes());
    blob[48..88].copy_from_slice(&step.encode());
    (ops, plans, blob)
}

fn encoded() -> AlignedBytes {
    let (ops, plans, blob) = pinned_model();
    let input = Tensor { offset: 0, shape: [2, 2, 1], element: Element::I8, zero_point: -3 };
    let output = Tensor { offset: 4, shape: [2, 2, 1], element: Element::I16, zero_point: 0 };
    let conditioning =
        Conditioning { columns: 0, time_rows: 0, time_table: 0, class_table: 0, axis_count: 0, axes: &[] };
    let header = Header {
        process: Process::Gaussian,
        name: "pin",
        provenance: "",
        input,
        input_inverse_scale: 32.0,
        output,
        output_scale: 0.001,
        conditioning,
        plan_count: 1,
        plans: &plans,
        op_count: 1,
        ops: &ops,
    };
    AlignedBytes::from(&encode(&header, &blob, 12 + 256, (4, brownian::StateKind::F32)).unwrap()[..])
}

fn hex(bytes: &[u8]) -> String {
    bytes.chunks(16).map(|line| line.iter().map(|b| format!("{b:02x}")).collect::<String>() + "\n").collect()
}

#[test]
fn bytes_are_pinned() {
    assert_eq!(hex(encoded().bytes()), include_str!("data/pinned.hex"));
}

#[test]
fn what_is_written_reads_back() {
    let file = encoded();
    let file = file.bytes();
    let model = Model::parse(file).unwrap();
    assert_eq!((model.header().name, model.shape(), model.classes()), ("pin", [2, 2, 1], 0));
    assert_eq!((model.arena_len(), model.state_len()), (268, 4));
    let plan = model.plan("one").unwrap();
    assert_eq!((plan.len(), plan.clip(), plan.step(0).unwrap().k_eps), (1, true, -0.5));
    assert_eq!([plan.level(0), plan.level(1)], [LEVEL, Level::CLEAN]);
    assert_eq!((brownian::arena_len(file), brownian::state_len(file), brownian::sample_len(file)), (268, 4, 4));
    assert_eq!((brownian::state_len_two_evaluations(file), model.state_len_two_evaluations()), (6, 6));
    assert_eq!((brownian::snapshot_len(file), model.snapshot_len()), (130, 130));
    assert!(plan.step(1).is_none() && model.plan("two").is_none());
    let (ops, ..) = pinned_model();
    let mut again = vec![];
    encode_item(&model.ops().next().unwrap(), &mut again).unwrap();
    assert_eq!(again, ops);
}

#[test]
fn an_owned_model_is_the_parsed_one() {
    let owned = OwnedModel::new(encoded().bytes()).unwrap();
    let (model, file) = (owned.model(), encoded());
    let parsed = Model::parse(file.bytes()).unwrap();
    assert_eq!((model.header(), model.blob()), (parsed.header(), parsed.blob()));
    assert_eq!([model.arena_len(), model.state_len()], [parsed.arena_len(), parsed.state_len()]);
    assert_eq!(model.checksum(), parsed.checksum());
    assert_eq!(owned.plan("one").unwrap().len(), 1);
    assert_eq!(owned.plan("two").unwrap_err().to_string(), "the model has no plan 'two'; it has one");
    let mut damaged = file.bytes().to_vec();
    damaged[40] ^= 1;
    assert!(matches!(OwnedModel::new(&damaged), Err(ParseError::Crc { .. })));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = OwnedModel::read("no/such/model.brn").unwrap_err().to_string();
    assert!(error.starts_with("no/such/model.brn: cannot be read: "), "{error}");
    let error = OwnedModel::read(file!().replace("runtime/", "")).unwrap_err().to_string();
    assert!(error.ends_with("does not begin with BRWN)"), "{error}");
}
