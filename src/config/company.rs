//! shim
/// shim
#[derive(Clone, Debug)]
pub struct CompanySettings {}
