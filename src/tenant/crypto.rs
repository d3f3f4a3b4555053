//! Encryption of companies' credentials at rest: XChaCha20-Poly1305, bound to company and field.

use std::fmt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use crate::domain::company::CompanyId;

const VERSION: u8 = 1;
const NONCE_LEN: usize = 24;

/// The key that encrypts companies' credentials. `Debug` shows its id only.
#[derive(Clone)]
pub struct MasterKey {
    key: [u8; 32],
    id: String,
}

/// What is wrong with a master key or with what it should open.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be read or written.
    #[error("the master key file {path} cannot be used: {cause}")]
    File {
        /// Its path.
        path: String,
        /// Why.
        cause: String,
    },
    /// Not 64 hex digits.
    #[error("{origin} does not hold a master key: 64 hexadecimal digits are needed (`openssl rand -hex 32` makes one)")]
    Malformed {
        /// Where it was read.
        origin: String,
    },
    /// Others may read the file.
    #[error("the master key file {path} may be read by others (mode {mode:o}); run `chmod 600 {path}`")]
    Permissions {
        /// Its path.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// A value was encrypted with another key, for another company or field, or was changed.
    #[error("a stored secret of company {company} ({field}) cannot be decrypted with master key {id}")]
    Undecryptable {
        /// The company.
        company: CompanyId,
        /// The field.
        field: String,
        /// The id of the key in use.
        id: String,
    },
}

impl MasterKey {
    /// Reads 64 hex digits; `origin` says in errors where they came from.
    pub fn from_hex(text: &str, origin: &str) -> Result<Self, MasterKeyError> {
        let malformed = || MasterKeyError::Malformed { origin: origin.to_owned() };
        let bytes = hex::decode(text.trim()).map_err(|_| malformed())?;
        let key: [u8; 32] = bytes.try_into().map_err(|_| malformed())?;
        Ok(Self::new(key))
    }

    /// Reads the key file; refuses one that others may read.
    pub fn from_file(path: &Path) -> Result<Self, MasterKeyError> {
        let file_error =
            |cause: std::io::Error| MasterKeyError::File { path: path.display().to_string(), cause: cause.to_string() };
        let mode = std::fs::metadata(path).map_err(file_error)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::Permissions { path: path.display().to_string(), mode });
        }
        Self::from_hex(&std::fs::read_to_string(path).map_err(file_error)?, &path.display().to_string())
    }

    /// Reads the key file, or makes one (mode 0600) when there is none.
    pub fn from_file_or_new(path: &Path) -> Result<Self, MasterKeyError> {
        use std::io::Write as _;
        if path.exists() {
            return Self::from_file(path);
        }
        let key = Self::new(rand::random());
        let written = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| writeln!(file, "{}", hex::encode(key.key)));
        written.map_err(|cause| MasterKeyError::File { path: path.display().to_string(), cause: cause.to_string() })?;
        Ok(key)
    }

    /// A key that is kept nowhere: for dry runs before there is one.
    pub fn ephemeral() -> Self {
        Self::new(rand::random())
    }

    fn new(key: [u8; 32]) -> Self {
        let id = hex::encode(Sha256::digest(key)).chars().take(12).collect();
        Self { key, id }
    }

    /// A short name of the key that tells nothing about it: stored beside what it encrypted.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A key for salting hashes, derived for one purpose.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"secretaria/derive/");
        hash.update(purpose.as_bytes());
        hash.update(self.key);
        hash.finalize().into()
    }

    /// Encrypts a credential of one company's field: version, nonce, ciphertext.
    pub fn seal(&self, company: CompanyId, field: &str, plain: &str) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let aad = aad(company, field);
        let payload = Payload { msg: plain.as_bytes(), aad: &aad };
        // Encryption fails only on lengths beyond 256 GiB.
        let sealed =
            XChaCha20Poly1305::new(&self.key.into()).encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
        [&[VERSION][..], &nonce, &sealed].concat()
    }

    /// Decrypts what [`MasterKey::seal`] made for the same company and field.
    pub fn open(&self, company: CompanyId, field: &str, sealed: &[u8]) -> Result<String, MasterKeyError> {
        let refused = || MasterKeyError::Undecryptable { company, field: field.to_owned(), id: self.id.clone() };
        let rest = sealed.strip_prefix(&[VERSION]).ok_or_else(refused)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(refused)?;
        let aad = aad(company, field);
        let plain = XChaCha20Poly1305::new(&self.key.into())
            .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: &aad })
            .map_err(|_| refused())?;
        String::from_utf8(plain).map_err(|_| refused())
    }
}

fn aad(company: CompanyId, field: &str) -> Vec<u8> {
    format!("company:{company}:{field}").into_bytes()
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}
