//! The four columns an embedding takes, read and written alike in every table that has one.

use crate::domain::embedding::{Embedding, Space};

/// Numbers, provider, model, dimension, as stored.
pub(super) type Columns = (Option<Vec<f32>>, Option<String>, Option<String>, Option<i32>);

/// What is stored for an embedding.
pub(super) fn columns(embedding: Option<&Embedding>) -> Columns {
    let Some(embedding) = embedding else { return (None, None, None, None) };
    let space = embedding.space();
    let dimension = i32::try_from(space.dimension).unwrap_or(i32::MAX);
    (Some(embedding.numbers().to_vec()), Some(space.provider.clone()), Some(space.model.clone()), Some(dimension))
}

/// The embedding that is stored; `None` when there is none, or what is stored makes none.
pub(super) fn read((numbers, provider, model, dimension): Columns) -> Option<Embedding> {
    let space = Space { provider: provider?, model: model?, dimension: usize::try_from(dimension?).ok()? };
    Embedding::new(space, numbers?)
}
