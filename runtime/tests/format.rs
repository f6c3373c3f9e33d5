//! The model file, pinned byte by byte.

use brownian::format::*;
use brownian::plan::{Level, Step};
use brownian::{Aligned, EncodeError, Model};

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
    let mut ops = vec![0; 128];
    let len = encode_item(&conv, &mut ops).unwrap();
    ops.truncate(len);
    let mut plans = vec![0; 64];
    let plan = PlanHeader { name: "one", steps: 1, table: 48, clip: true };
    let len = encode_item(&plan, &mut plans).unwrap();
    plans.truncate(len);
    let step =
        Step { timestep: 9, time_row: 0, k_x: 1.0, k_eps: -0.5, a: 0.0, b: 1.0, c: 0.0, sigma: 0.0, level: LEVEL };
    let mut blob = vec![0; 96];
    blob[0] = 5;
    blob[16..20].copy_from_slice(&1000i32.to_le_bytes());
    blob[32..34].copy_from_slice(&12345i16.to_le_bytes());
    blob[48..88].copy_from_slice(&step.encode());
    (ops, plans, blob)
}

fn encoded(out: &mut [u8]) -> Result<usize, EncodeError> {
    let (ops, plans, blob) = pinned_model();
    let input = Tensor { offset: 0, shape: [2, 2, 1], element: Element::I8, zero_point: -3 };
    let output = Tensor { offset: 4, shape: [2, 2, 1], element: Element::I16, zero_point: 0 };
    let conditioning = Conditioning { columns: 0, time_rows: 0, time_table: 0, classes: 0, class_table: 0 };
    let header = Header {
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
    encode(&header, &blob, 12 + 256, 4, out)
}

fn hex(bytes: &[u8]) -> String {
    bytes.chunks(16).map(|line| line.iter().map(|b| format!("{b:02x}")).collect::<String>() + "\n").collect()
}

#[test]
fn bytes_are_pinned() {
    let mut file = Aligned([0u8; 512]);
    let len = encoded(&mut file.0).unwrap();
    assert_eq!(hex(&file.0[..len]), include_str!("data/pinned.hex"));
}

#[test]
fn what_is_written_reads_back() {
    let mut file = Aligned([0u8; 512]);
    let len = encoded(&mut file.0).unwrap();
    let model = Model::parse(&file.0[..len]).unwrap();
    assert_eq!((model.header().name, model.shape(), model.classes()), ("pin", [2, 2, 1], 0));
    assert_eq!((model.arena_len(), model.state_len()), (268, 4));
    let plan = model.plan("one").unwrap();
    assert_eq!((plan.len(), plan.clip(), plan.step(0).unwrap().k_eps), (1, true, -0.5));
    assert_eq!([plan.level(0), plan.level(1)], [LEVEL, Level::CLEAN]);
    let file = &file.0[..len];
    assert_eq!((brownian::arena_len(file), brownian::state_len(file), brownian::sample_len(file)), (268, 4, 4));
    assert_eq!((brownian::state_len_two_evaluations(file), model.state_len_two_evaluations()), (6, 6));
    assert_eq!((brownian::snapshot_len(file), model.snapshot_len()), (110, 110));
    assert!(plan.step(1).is_none() && model.plan("two").is_none());
    let (ops, ..) = pinned_model();
    let mut again = vec![0; 128];
    let len = encode_item(&model.ops().next().unwrap(), &mut again).unwrap();
    assert_eq!(again[..len], ops);
}

#[test]
fn a_short_buffer_is_an_error() {
    let mut file = Aligned([0u8; 512]);
    let len = encoded(&mut file.0).unwrap();
    for short in [0, 31, 60, len - 1] {
        assert_eq!(encoded(&mut file.0[..short]), Err(EncodeError::BufferTooShort), "{short}");
    }
    assert_eq!(encoded(&mut file.0[..len]), Ok(len));
}
