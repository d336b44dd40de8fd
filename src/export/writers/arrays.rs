//! Writes a split as NumPy arrays.

use super::SplitWriter;
use super::block::Block;
use super::npy::{NpyWriter, float16_header};
use crate::dataset::{Dtype, FeatureValues, Split};
use crate::encode::Head;
use crate::export::error::ExportError;
use crate::export::files::{ExportFiles, array_file};
use crate::export::options::Layout;
use crate::gamelog::Outcome;
use ndarray_npy::WritableElement;

/// Writes `X`, labels, masks, index and outcomes of one split.
///
/// Every array is written as an `.npy` file, because the number of rows is known in advance. With
/// [`Layout::Npz`], arrays of a kind are packed into one `.npz` at the end.
pub(in crate::export) struct ArrayWriter {
    split: Split,
    layout: Layout,
    features: NpyWriter,
    labels: Vec<(&'static str, NpyWriter)>,
    masks: Vec<(&'static str, NpyWriter)>,
    /// `game_id`, `turn_number`, `row_in_game`
    index: Vec<(&'static str, NpyWriter)>,
    outcomes: Vec<(&'static str, NpyWriter)>,
}

impl ArrayWriter {
    pub(in crate::export) fn create(
        files: &ExportFiles<'_>,
        split: Split,
        shape: [usize; 2],
        dtype: Dtype,
        layout: Layout,
    ) -> Result<ArrayWriter, ExportError> {
        let (rows, x) = (shape[0], files.path(&features_file(split)));
        let features = match dtype {
            Dtype::Float32 => NpyWriter::of::<f32>(&x, &shape)?,
            Dtype::Float16 => NpyWriter::create(&x, float16_header(&shape))?,
            Dtype::Int8 => NpyWriter::of::<i8>(&x, &shape)?,
        };
        let labels = Head::ALL.map(|head| (head.name(), vec![rows]));
        let masks = Head::ALL.map(|head| (head.name(), vec![rows, head.classes()]));
        let outcomes = Outcome::NAMES.map(|name| (name, vec![rows]));
        let numbers = ["turn_number", "row_in_game"].map(|name| (name, vec![rows]));
        let mut index = create::<i64>(files, split, "index", [("game_id", vec![rows])])?;
        index.extend(create::<i32>(files, split, "index", numbers)?);
        Ok(ArrayWriter {
            split,
            layout,
            features,
            labels: create::<i32>(files, split, "labels", labels)?,
            masks: create::<i8>(files, split, "masks", masks)?,
            index,
            outcomes: create::<i32>(files, split, "outcome", outcomes)?,
        })
    }
}

/// Creates arrays of a kind with these names and shapes.
fn create<T: WritableElement>(
    files: &ExportFiles<'_>,
    split: Split,
    kind: &str,
    arrays: impl IntoIterator<Item = (&'static str, Vec<usize>)>,
) -> Result<Vec<(&'static str, NpyWriter)>, ExportError> {
    let path = |name| files.path(&array_file(kind, split, name));
    let create =
        |(name, shape): (_, Vec<usize>)| Ok((name, NpyWriter::of::<T>(&path(name), &shape)?));
    arrays.into_iter().map(create).collect()
}

impl SplitWriter for ArrayWriter {
    fn write(&mut self, block: Block) -> Result<Option<FeatureValues>, ExportError> {
        match &block.features {
            FeatureValues::Float32(values) => self.features.write(values)?,
            FeatureValues::Float16(bits) => self.features.write(bits)?,
            FeatureValues::Int8(values) => self.features.write(values)?,
        }
        for ((_, writer), masks) in self.masks.iter_mut().zip(&block.masks) {
            writer.write(masks)?;
        }
        let rows = block.rows();
        self.index[0].1.write(&vec![block.game_id.0; rows])?;
        self.index[1].1.write(&block.turn_numbers)?;
        self.index[2].1.write(&(0..rows as i32).collect::<Vec<_>>())?;
        let numbers = self.labels.iter_mut().zip(&block.labels);
        for ((_, writer), values) in numbers.chain(self.outcomes.iter_mut().zip(&block.outcomes)) {
            writer.write(values)?;
        }
        Ok(Some(block.features))
    }

    fn finish(self: Box<Self>, files: &mut ExportFiles<'_>) -> Result<(), ExportError> {
        let (split, layout) = (self.split, self.layout);
        files.add(features_file(split), self.features.finish()?)?;
        for (kind, arrays, layout) in [
            ("labels", self.labels, layout),
            ("masks", self.masks, layout),
            // The same in both layouts: small files, for which memory mapping is not needed.
            ("index", self.index, Layout::Npz),
            ("outcome", self.outcomes, Layout::Npz),
        ] {
            let hashes = arrays.into_iter().map(|(name, writer)| Ok((name, writer.finish()?)));
            let hashes: Vec<_> = hashes.collect::<Result<_, ExportError>>()?;
            files.add_arrays(kind, split, &hashes, layout)?;
        }
        Ok(())
    }
}

fn features_file(split: Split) -> String {
    format!("X_{}.npy", split.name())
}
