//! What to use in place of operators that no op of ours computes.

/// What is wrong with an operator that is not supported, and what to use instead.
pub fn instead(op: &str) -> &'static str {
    match op {
        "InstanceNormalization"
        | "GroupNormalization"
        | "LayerNormalization"
        | "RMSNormalization"
        | "LpNormalization"
        | "MeanVarianceNormalization" => {
            "is not supported: it needs means over each image; use BatchNorm2d, which costs nothing on a chip"
        }
        "Softmax" | "LogSoftmax" | "Attention" | "MultiHeadAttention" | "Einsum" => {
            "is not supported: there is no attention on the chip; use convolutions with dilation"
        }
        "MaxPool" | "GlobalMaxPool" => "is not supported; use a Conv of stride 2, or AveragePool",
        "GlobalAveragePool" | "ReduceMean" | "ReduceSum" | "ReduceMax" => {
            "is not supported: it computes over all positions; use AveragePool or a Conv of stride 2"
        }
        "Gelu" | "Erf" | "Mish" | "HardSwish" | "HardSigmoid" | "LeakyRelu" | "PRelu" | "Elu" | "Selu" | "Celu"
        | "Softplus" | "Softsign" | "Clip" | "ThresholdedRelu" | "Swish" => "is not supported; use SiLU or ReLU",
        "Upsample" | "GridSample" => "is not supported; use Upsample(mode=\"nearest\"), which exports a Resize",
        "LSTM" | "GRU" | "RNN" | "Loop" | "Scan" | "If" => {
            "is not supported: there is no state and no branch on the chip"
        }
        "Sin" | "Cos" | "Exp" | "Log" | "Sqrt" | "Pow" | "Abs" | "Reciprocal" => {
            "is not supported on values of the image, only on the timestep and classes; use SiLU or ReLU"
        }
        "QuantizeLinear" | "DequantizeLinear" | "QLinearConv" | "ConvInteger" | "DynamicQuantizeLinear" => {
            "is not supported: import the float network; `trainer export` quantizes it"
        }
        _ => "is not supported; the how-to \"Import an ONNX network\" lists what is",
    }
}

/// What is wrong with an operator on constants, or on what the timestep and classes give, and what to use instead.
pub fn instead_of_constant(op: &str) -> &'static str {
    match op {
        "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL2" | "LayerNormalization"
        | "RMSNormalization" | "GroupNormalization" | "InstanceNormalization" | "LpNormalization"
        | "BatchNormalization" | "Softmax" | "LogSoftmax" => {
            "is not supported on what t and the classes give: it computes over all values; use nn.Linear, which can sum \
             and average"
        }
        "Conv" | "ConvTranspose" | "AveragePool" | "MaxPool" => {
            "is not supported on what t and the classes give, nor on constants; use nn.Linear, or compute a constant \
             before the export and register_buffer it"
        }
        "Mish" | "HardSwish" | "HardSigmoid" | "PRelu" | "Elu" | "Selu" | "Celu" | "Softsign" | "Clip"
        | "ThresholdedRelu" => "is not supported on what t and the classes give; use SiLU, GELU, ReLU or Softplus",
        _ => {
            "is not supported on what t and the classes give, nor on constants; compute a constant before the export and \
             register_buffer it; the how-to \"Import an ONNX network\" lists what is supported"
        }
    }
}
