//! What a sound file is and how long it lasts, from its own bytes: senders mislabel them.

/// A kind of sound file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    /// Media type.
    pub mime: &'static str,
    /// The ending by which OpenAI tells kinds apart.
    pub ending: &'static str,
}

const OGG: Format = Format { mime: "audio/ogg", ending: "ogg" };
const MP3: Format = Format { mime: "audio/mpeg", ending: "mp3" };
const MP4: Format = Format { mime: "audio/mp4", ending: "m4a" };
const WAV: Format = Format { mime: "audio/wav", ending: "wav" };
const WEBM: Format = Format { mime: "audio/webm", ending: "webm" };
const FLAC: Format = Format { mime: "audio/flac", ending: "flac" };
const AAC: Format = Format { mime: "audio/aac", ending: "aac" };
const AMR: Format = Format { mime: "audio/amr", ending: "amr" };

/// Beginnings of files. MPEG frames and ADTS begin with a set row of bits, of which these are the usual ones.
const BEGINNINGS: [(&[u8], Format); 11] = [
    (b"OggS", OGG),
    (b"ID3", MP3),
    (&[0xFF, 0xFB], MP3),
    (&[0xFF, 0xF3], MP3),
    (&[0xFF, 0xF2], MP3),
    (&[0xFF, 0xF1], AAC),
    (&[0xFF, 0xF9], AAC),
    (b"RIFF", WAV),
    (&[0x1A, 0x45, 0xDF, 0xA3], WEBM),
    (b"fLaC", FLAC),
    (b"#!AMR", AMR),
];

/// Media types by their second half.
const NAMES: [(&str, Format); 11] = [
    ("ogg", OGG),
    ("opus", OGG),
    ("mpeg", MP3),
    ("mp3", MP3),
    ("mp4", MP4),
    ("m4a", MP4),
    ("x-m4a", MP4),
    ("wav", WAV),
    ("webm", WEBM),
    ("aac", AAC),
    ("amr", AMR),
];

/// Samples a second by which Ogg counts Opus, whatever it was recorded with.
const OPUS_RATE: u64 = 48_000;

/// The mark at the start of each Ogg page.
const PAGE: &[u8] = b"OggS";

impl Format {
    /// The kind of a file; `None` when neither the bytes nor the name say that it is sound.
    pub(super) fn of(bytes: &[u8], mime: &str) -> Option<Self> {
        if bytes.is_empty() {
            return None;
        }
        if bytes.get(4..8) == Some(b"ftyp") {
            return Some(MP4);
        }
        let begun = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning));
        begun.map(|(_, format)| *format).or_else(|| {
            let name = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let name = name.strip_prefix("audio/")?.to_owned();
            NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
        })
    }
}

/// The length of an Ogg Opus file in seconds, begun ones counting: the sample its last page ends with (RFC 7845 §4).
/// `None` for other kinds and for broken ones.
pub(super) fn seconds(bytes: &[u8]) -> Option<u64> {
    let head = bytes.get(..bytes.len().min(128))?;
    if !head.starts_with(PAGE) || !head.windows(8).any(|window| window == b"OpusHead") {
        return None;
    }
    let mut rest = bytes;
    loop {
        let at = rest.windows(PAGE.len()).rposition(|window| window == PAGE)?;
        let granule = rest.get(at + 6..at + 14).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        match granule {
            // All ones: no sample ends on this page. More than a century is none either.
            Some(sample) if sample < 1 << 48 => return Some(sample.div_ceil(OPUS_RATE)),
            _ => rest = rest.get(..at)?,
        }
    }
}
