//! The page's own files, embedded. Their addresses carry a piece of their hash, so a browser may keep them for ever.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use sha2::{Digest, Sha256};

/// File name, media type, content.
const FILES: [(&str, &str, &str); 5] = [
    ("simulador.css", "text/css; charset=utf-8", include_str!("assets/simulador.css")),
    ("simulador.js", "text/javascript; charset=utf-8", include_str!("assets/simulador.js")),
    ("htmx.min.js", "text/javascript; charset=utf-8", include_str!("assets/htmx.min.js")),
    ("papel.svg", "image/svg+xml", include_str!("assets/papel.svg")),
    ("icone.svg", "image/svg+xml", include_str!("assets/icone.svg")),
];

/// The address of an embedded file, with a piece of its hash; the bare directory for an unknown name.
pub fn address(name: &str) -> String {
    let content = FILES.iter().find(|(file, _, _)| *file == name).map_or("", |(_, _, content)| content);
    let hash = hex::encode(Sha256::digest(content.as_bytes()));
    format!("/simulador/assets/{name}?v={}", hash.get(..12).unwrap_or_default())
}

/// `GET /simulador/assets/{file}`.
pub(super) async fn serve(name: web::Path<String>) -> HttpResponse {
    match FILES.iter().find(|(file, _, _)| *file == name.as_str()) {
        Some((_, media_type, content)) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, *media_type))
            .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .body(*content),
        None => HttpResponse::NotFound().finish(),
    }
}
