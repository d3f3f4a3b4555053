//! Voice messages that carry their own transcript: Ogg with Opus headers, the words in a comment, and no sound.

/// The comment's name.
const MARK: &[u8] = b"TRANSCRIPT=";

/// Samples a second in Opus' time.
const RATE: u64 = 48_000;

/// A voice message of that length in which `words` are said; none when they are empty.
pub(super) fn voice(words: &str, seconds: u32) -> Vec<u8> {
    let comment = [MARK, words.as_bytes()].concat();
    let head = [b"OpusHead\x01\x01".as_slice(), &[0, 0], &16_000_u32.to_le_bytes(), &[0, 0, 0]].concat();
    let tags =
        [b"OpusTags".as_slice(), &length(b"standin"), b"standin", &1_u32.to_le_bytes(), &length(&comment), &comment]
            .concat();
    let end = u64::from(seconds) * RATE;
    [page(2, 0, 0, &head), page(0, 0, 1, &tags), page(4, end, 2, &[0xF8, 0xFF, 0xFE])].concat()
}

/// What is said in a voice message of [`voice`], wherever in `bytes` it is.
pub(super) fn transcript(bytes: &[u8]) -> Option<String> {
    let at = bytes.windows(MARK.len()).position(|window| window == MARK)?;
    let length = bytes.get(at.checked_sub(4)?..at)?.try_into().ok().map(u32::from_le_bytes)?;
    let words = bytes.get(at..)?.get(..usize::try_from(length).ok()?)?.get(MARK.len()..)?;
    Some(String::from_utf8_lossy(words).into_owned())
}

fn length(text: &[u8]) -> [u8; 4] {
    u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes()
}

/// One page without a checksum, which nobody here looks at. Long contents take several segments.
fn page(kind: u8, granule: u64, number: u32, content: &[u8]) -> Vec<u8> {
    let content = content.get(..content.len().min(255 * 254)).unwrap_or_default();
    let whole = content.len() / 255;
    let mut segments = vec![255_u8; whole];
    segments.push(u8::try_from(content.len() % 255).unwrap_or(0));
    let count = u8::try_from(segments.len()).unwrap_or(255);
    let serial = 7_u32.to_le_bytes();
    let head = [b"OggS\x00".as_slice(), &[kind], &granule.to_le_bytes(), &serial, &number.to_le_bytes(), &[0; 4]];
    [head.concat().as_slice(), &[count], &segments, content].concat()
}
