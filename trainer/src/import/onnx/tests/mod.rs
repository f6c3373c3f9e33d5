//! Networks that tests write as ONNX files, read, and compare with the definitions of ONNX's operators.
mod bounds;
mod files;
mod operators;
mod reference;
mod refusals;
