//! A model file.

use crate::draw;
use crate::error::{refuse, unreadable};
use crate::request::{Arguments, Request};
use brownian::host::boards::Board;
use brownian::host::{BoardReport, OwnedModel, Report};
use brownian::{Plan, StateKind};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes};
use std::path::PathBuf;

/// A checked model file.
#[pyclass(frozen)]
pub struct Model(OwnedModel);

#[pymethods]
impl Model {
    #[new]
    fn new(data: &[u8]) -> PyResult<Self> {
        OwnedModel::new(data).map(Self).map_err(refuse)
    }

    #[staticmethod]
    fn read(path: PathBuf) -> PyResult<Self> {
        OwnedModel::read(path).map(Self).map_err(unreadable)
    }

    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.0.bytes();
        PyBytes::new_with(py, bytes.len(), |copy| {
            copy.copy_from_slice(bytes);
            Ok(())
        })
    }

    #[getter]
    fn name(&self) -> &str {
        self.0.model().header().name
    }

    #[getter]
    fn provenance(&self) -> &str {
        self.0.model().header().provenance
    }

    #[getter]
    fn shape(&self) -> (usize, usize, usize) {
        self.0.model().shape().into()
    }

    #[getter]
    fn checksum(&self) -> u32 {
        self.0.model().checksum()
    }

    #[getter]
    fn is_binomial(&self) -> bool {
        self.0.model().state_kind() == StateKind::Bits
    }

    #[getter]
    fn axes(&self) -> Vec<(String, Vec<String>)> {
        let model = self.0.model();
        let axes = model.axes().map(|axis| (axis.name().into(), axis.classes().map(String::from).collect()));
        axes.collect()
    }

    /// Name, clip, standard deviation of x_T and steps of every plan.
    fn plans<'py>(&self, py: Python<'py>) -> Vec<(String, bool, f32, Bound<'py, PyBytes>)> {
        let model = self.0.model();
        let steps = |plan: Plan| -> Vec<u8> {
            match model.state_kind() {
                StateKind::Bits => (0..plan.len()).filter_map(|i| plan.bit_step(i)).flat_map(|s| s.encode()).collect(),
                _ => plan.steps().flat_map(|step| step.encode()).collect(),
            }
        };
        let deviation = |plan: &Plan| plan.step(0).map_or(1.0, |step| plan.start().deviation(step.level));
        let all = model.plans();
        all.map(|plan| (plan.name().into(), plan.clip(), deviation(&plan), PyBytes::new(py, &steps(plan)))).collect()
    }

    #[pyo3(signature = (board = None))]
    fn inspect<'py>(&self, py: Python<'py>, board: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize::pythonize(py, &self.report(board)?)?)
    }

    #[pyo3(signature = (board = None))]
    fn inspect_text(&self, board: Option<&str>) -> PyResult<String> {
        let report = self.report(board)?;
        Ok(report.board.as_ref().map_or_else(|| report.to_string(), |board| board.to_string()))
    }

    fn samples<'py>(&self, py: Python<'py>, arguments: Arguments) -> PyResult<Bound<'py, PyByteArray>> {
        let model = self.0.model();
        let samples = draw::samples(py, &model, &Request::new(arguments, &self.0, &model)?)?;
        array(py, bytemuck::cast_slice(&samples))
    }

    fn previews<'py>(&self, py: Python<'py>, arguments: Arguments) -> PyResult<Bound<'py, PyByteArray>> {
        let model = self.0.model();
        let previews = draw::previews(py, &model, &Request::new(arguments, &self.0, &model)?)?;
        array(py, bytemuck::cast_slice(&previews))
    }

    fn digests<'py>(&self, py: Python<'py>, arguments: Arguments) -> PyResult<Bound<'py, PyByteArray>> {
        let model = self.0.model();
        let digests = draw::digests(py, &model, &Request::new(arguments, &self.0, &model)?)?;
        array(py, bytemuck::cast_slice(&digests))
    }
}

/// Bytes that an array can be made of without another copy; a `MemoryError` where there is no room for them.
fn array<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyByteArray>> {
    PyByteArray::new_with(py, bytes.len(), |copy| {
        copy.copy_from_slice(bytes);
        Ok(())
    })
}

impl Model {
    fn report(&self, board: Option<&str>) -> PyResult<Report> {
        let (model, flash) = (self.0.model(), self.0.bytes().len());
        let mut report = Report::new(&model, flash);
        if let Some(name) = board {
            report.board = Some(BoardReport::new(Board::find(name).map_err(refuse)?, &model, flash));
        }
        Ok(report)
    }
}
