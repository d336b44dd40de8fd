//! The file of `X`.

use super::npy::{NpyWriter, float16_header};
use crate::dataset::{Dtype, FeatureValues};
use crate::export::error::ExportError;
use std::path::Path;

/// Creates the file.
pub(in crate::export) fn create_features(
    path: &Path,
    shape: &[usize],
    dtype: Dtype,
) -> Result<NpyWriter, ExportError> {
    match dtype {
        Dtype::Float32 => NpyWriter::of::<f32>(path, shape),
        Dtype::Float16 => NpyWriter::create(path, float16_header(shape)),
        Dtype::Int8 => NpyWriter::of::<i8>(path, shape),
    }
}

/// Appends values to it.
pub(in crate::export) fn write_features(
    values: &FeatureValues,
    writer: &mut NpyWriter,
) -> Result<(), ExportError> {
    match values {
        FeatureValues::Float32(values) => writer.write(values),
        FeatureValues::Float16(bits) => writer.write(bits),
        FeatureValues::Int8(values) => writer.write(values),
    }
}
