//! Made-up embeddings: texts that share words lie near each other.

/// A vector of that many numbers. It is not of length 1, as those of shortened models are not either.
pub(super) fn of(text: &str, dimension: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimension];
    let lower = text.to_lowercase();
    // Every text has a direction, the one without words too.
    for word in lower.split(|c: char| !c.is_alphanumeric()).chain(["·"]).filter(|word| !word.is_empty()) {
        let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let place = usize::try_from(hash >> 1).unwrap_or(0).checked_rem(dimension).unwrap_or(0);
        if let Some(number) = vector.get_mut(place) {
            *number += if hash & 1 == 0 { 0.7 } else { -0.7 };
        }
    }
    vector
}
