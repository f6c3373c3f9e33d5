//! Tables in the weight blob, and what can be wrong with one.

use core::fmt;

/// A table in the weight blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Table {
    /// Weights of an op.
    Weights,
    /// Biases of an op.
    Bias,
    /// Multipliers of an op.
    Multipliers,
    /// Activation table of an op.
    Lut,
    /// Channel biases by time row.
    Time,
    /// Channel biases by class.
    Class,
    /// Steps of a plan.
    Steps,
}

/// What is wrong with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TableFault {
    /// It does not lie in the blob.
    Outside,
    /// It does not start at a multiple of its elements' alignment.
    Misaligned,
    /// All tables that must be examined have more bytes together than the blob: some of them share bytes.
    Shared,
}

/// A table that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TableError {
    /// Which one.
    pub table: Table,
    /// What is wrong with it.
    pub fault: TableFault,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.table {
            Table::Weights => "the weights ",
            Table::Bias => "the biases ",
            Table::Multipliers => "the multipliers ",
            Table::Lut => "the activation table ",
            Table::Time => "the biases by time row ",
            Table::Class => "the biases by class ",
            Table::Steps => "the steps ",
        })?;
        f.write_str(match self.fault {
            TableFault::Outside => "lie outside the weight blob",
            TableFault::Misaligned => "do not start at a multiple of their alignment",
            TableFault::Shared => "share bytes with other tables",
        })
    }
}
