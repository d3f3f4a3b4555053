//! Who may post to the webhook: every way of signing, every way of failing.

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use secretaria::domain::webhook_auth::{AuthMode, PresentedHeaders, Proof, Unauthorized, WebhookCredentials};
use sha2::{Digest, Sha256};

const BODY: &[u8] = r#"{"number":"5511987654321","body":"Olá"}"#.as_bytes();
const NOW: i64 = 2_540_808_000;
const V0: &str = "sha256=eded09d7a92327a6eb657c5f65a794e803e1228b291dfe8962d68d1943e39d96";
const V1: &str = "sha256=6747c2aa656ea4db75b435a238dc972040b176e5a98d9ea1a3495984ef8beb93";
const PAIR: &str = "6747c2aa656ea4db75b435a238dc972040b176e5a98d9ea1a3495984ef8beb93";
const STANDARD_SECRET: &str = "whsec_c2VjcmV0YXJpYS13ZWJob29rLXRlc3Qta2V5LTAwMDE=";
const STANDARD: &str = "v1,gSlt08xJhliNBgxKT9sDmgY6K1L/w6etX1FYntxT17k=";
const TS: (&str, &str) = ("X-Webhook-Timestamp", "2540808000");
const SIG: &str = "X-Signature-256";

fn creds(mode: AuthMode) -> WebhookCredentials {
    WebhookCredentials {
        mode,
        secrets: vec!["whk-secret".into()],
        tokens: vec!["tok-current".into(), "tok-previous".into()],
        allow_untimestamped: false,
    }
}

fn hmac_creds() -> WebhookCredentials {
    creds(AuthMode::Hmac)
}

fn standard_creds() -> WebhookCredentials {
    WebhookCredentials { secrets: vec![STANDARD_SECRET.into()], ..hmac_creds() }
}

fn check<'a>(creds: &WebhookCredentials, headers: &[(&'a str, &'a str)]) -> Result<Proof<'a>, Unauthorized> {
    check_at(creds, headers, None, BODY, NOW)
}

fn check_at<'a>(
    creds: &WebhookCredentials,
    headers: &[(&'a str, &'a str)],
    query: Option<&str>,
    body: &'a [u8],
    now: i64,
) -> Result<Proof<'a>, Unauthorized> {
    let headers = PresentedHeaders::new(headers.iter().map(|(n, v)| (*n, v.as_bytes())));
    creds.prepare().verify(&headers, query, body, now)
}

fn cause(result: Result<Proof<'_>, Unauthorized>) -> &'static str {
    result.expect_err("must be refused").0
}

fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

#[test]
fn v1_vector() {
    for name in ["X-Signature-256", "X-Hub-Signature-256", "X-Webhook-Signature", "x-SIGNATURE-256"] {
        assert!(check(&hmac_creds(), &[TS, (name, V1)]).unwrap().replay_key.is_some());
    }
    assert!(check(&hmac_creds(), &[TS, (SIG, PAIR)]).is_ok(), "the prefix is optional");
    assert!(check(&hmac_creds(), &[TS, (SIG, &format!("sha256={}", PAIR.to_uppercase()))]).is_ok());
}

#[test]
fn v0_vector_only_where_allowed() {
    assert_eq!(cause(check(&hmac_creds(), &[(SIG, V0)])), "untimestamped");
    let lax = WebhookCredentials { allow_untimestamped: true, ..hmac_creds() };
    assert_eq!(check(&lax, &[(SIG, V0)]).unwrap(), Proof { replay_key: None }, "equal text is never a replay");
    assert_eq!(cause(check(&lax, &[(SIG, V1)])), "signature_wrong");
    assert_eq!(cause(check(&lax, &[TS, (SIG, V0)])), "signature_wrong");
}

#[test]
fn v24_pair_vector() {
    let ts = ("X-Timestamp", "2540808000");
    assert!(check(&hmac_creds(), &[ts, ("X-Signature", PAIR)]).is_ok());
    assert_eq!(cause(check(&hmac_creds(), &[ts, ("X-Signature", V1)])), "signature_malformed");
    assert_eq!(cause(check(&hmac_creds(), &[("X-Signature", PAIR)])), "signature_missing");
    assert_eq!(cause(check_at(&hmac_creds(), &[ts, ("X-Signature", PAIR)], None, BODY, NOW + 301)), "timestamp_window");
}

fn standard<'a>(signature: &'a str, id: &'a str) -> [(&'a str, &'a str); 3] {
    [("webhook-id", id), ("webhook-timestamp", "2540808000"), ("webhook-signature", signature)]
}

#[test]
fn standard_webhooks_vector() {
    let id = "msg_01J0TEST";
    assert!(check(&standard_creds(), &standard(STANDARD, id)).is_ok());
    let several = format!("v1a,AAAA v1,{} {STANDARD}", base64::engine::general_purpose::STANDARD.encode([0; 32]));
    assert!(check(&standard_creds(), &standard(&several, id)).is_ok());
    assert_eq!(cause(check(&standard_creds(), &standard(STANDARD, "msg_other"))), "signature_wrong");
    assert_eq!(cause(check(&standard_creds(), &standard("v2,AAAA", id))), "signature_malformed");
    assert_eq!(cause(check(&standard_creds(), &standard(STANDARD, id)[1..])), "signature_malformed");
    assert_eq!(cause(check_at(&standard_creds(), &standard(STANDARD, id), None, BODY, NOW - 301)), "timestamp_window");
}

#[test]
fn a_secret_without_whsec_cannot_verify_standard_webhooks() {
    let bare = WebhookCredentials { secrets: vec![STANDARD_SECRET[6..].into()], ..hmac_creds() };
    assert_eq!(cause(check(&bare, &standard(STANDARD, "msg_01J0TEST"))), "signature_wrong");
    let empty = WebhookCredentials { secrets: vec!["whsec_".into()], ..hmac_creds() };
    assert!(check(&empty, &standard(STANDARD, "msg_01J0TEST")).is_err());
}

#[test]
fn a_whsec_secret_signs_v1_with_its_whole_string() {
    let signature = sign(STANDARD_SECRET, "2540808000", BODY);
    assert!(check(&standard_creds(), &[TS, (SIG, &signature)]).is_ok());
}

#[test]
fn the_window_is_300_seconds_both_ways() {
    let at = |now| check_at(&hmac_creds(), &[TS, (SIG, V1)], None, BODY, now);
    assert!(at(NOW + 300).is_ok() && at(NOW - 300).is_ok());
    assert_eq!(cause(at(NOW + 301)), "timestamp_window");
    assert_eq!(cause(at(NOW - 301)), "timestamp_window");
    for bad in ["", "abc", "-2540808000", "+2540808000", "2540808000.0", "99999999999999999999999"] {
        let signature = sign("whk-secret", bad, BODY);
        let result = check(&hmac_creds(), &[("X-Webhook-Timestamp", bad), (SIG, &signature)]);
        assert_eq!(cause(result), "timestamp_malformed", "{bad}");
    }
}

#[test]
fn malformed_signatures_are_refused() {
    for bad in
        ["", "sha256=", "sha1=6747c2aa", &PAIR[..62], &format!("{PAIR}00"), &format!("SHA256={PAIR}"), &"z".repeat(64)]
    {
        assert_eq!(cause(check(&hmac_creds(), &[TS, (SIG, bad)])), "signature_malformed", "{bad}");
    }
    assert_eq!(cause(check(&hmac_creds(), &[TS])), "signature_missing");
}

#[test]
fn repeated_headers_must_agree() {
    assert!(check(&hmac_creds(), &[TS, (SIG, V1), (SIG, PAIR)]).is_ok(), "the same signature twice");
    assert_eq!(cause(check(&hmac_creds(), &[TS, (SIG, V1), (SIG, V0)])), "repeated_header");
    assert_eq!(cause(check(&hmac_creds(), &[TS, (SIG, V1), ("X-Hub-Signature-256", V0)])), "repeated_header");
    assert_eq!(cause(check(&hmac_creds(), &[TS, ("X-Webhook-Timestamp", "1"), (SIG, V1)])), "repeated_header");
    let tokens = [("X-Webhook-Token", "tok-current"), ("X-Webhook-Token", "x")];
    assert_eq!(cause(check(&creds(AuthMode::Token), &tokens)), "repeated_header");
}

#[test]
fn one_byte_of_the_body_matters() {
    let other = r#"{"number":"5511987654321","body":"Ola"}"#.as_bytes();
    assert_eq!(cause(check_at(&hmac_creds(), &[TS, (SIG, V1)], None, other, NOW)), "signature_wrong");
}

#[test]
fn the_previous_secret_counts_during_rotation() {
    let rotating = WebhookCredentials { secrets: vec!["new-secret".into(), "whk-secret".into()], ..hmac_creds() };
    assert!(check(&rotating, &[TS, (SIG, V1)]).is_ok());
    assert!(check(&rotating, &[TS, (SIG, &sign("new-secret", "2540808000", BODY))]).is_ok());
    let done = WebhookCredentials { secrets: vec!["new-secret".into()], ..hmac_creds() };
    assert_eq!(cause(check(&done, &[TS, (SIG, V1)])), "signature_wrong");
}

#[test]
fn nothing_configured_lets_nobody_in() {
    for secrets in [vec![], vec![String::new()]] {
        let open = WebhookCredentials { secrets: secrets.clone(), tokens: secrets, ..hmac_creds() };
        let signed_with_nothing = sign("", "2540808000", BODY);
        assert_eq!(cause(check(&open, &[TS, (SIG, &signed_with_nothing)])), "not_configured");
        let open = WebhookCredentials { mode: AuthMode::Token, ..open };
        assert_eq!(cause(check(&open, &[("X-Webhook-Token", "x")])), "not_configured");
        assert_eq!(cause(check(&open, &[("X-Webhook-Token", "")])), "token_missing");
    }
}

#[test]
fn the_default_mode_wants_both() {
    let both = creds(AuthMode::default());
    let token = ("Authorization", "Bearer tok-current");
    assert!(check(&both, &[token, TS, (SIG, V1)]).is_ok());
    assert_eq!(cause(check(&both, &[TS, (SIG, V1)])), "token_missing");
    assert_eq!(cause(check(&both, &[token])), "signature_missing");
    assert_eq!(cause(check(&both, &[("Authorization", "Bearer nope"), TS, (SIG, V1)])), "token_wrong");
}

#[test]
fn the_first_token_present_counts() {
    let token = creds(AuthMode::Token);
    assert_eq!(check(&token, &[("authorization", "bearer tok-previous")]).unwrap(), Proof { replay_key: None });
    assert!(check(&token, &[("X-Webhook-Token", "tok-current")]).is_ok());
    assert!(check_at(&token, &[], Some("tok-current"), BODY, NOW).is_ok());
    let wrong_first = [("Authorization", "Bearer wrong"), ("X-Webhook-Token", "tok-current")];
    assert_eq!(cause(check_at(&token, &wrong_first, Some("tok-current"), BODY, NOW)), "token_wrong");
    assert!(check(&token, &[("Authorization", "Basic eDp5"), ("X-Webhook-Token", "tok-current")]).is_ok());
    assert_eq!(cause(check(&token, &[])), "token_missing");
    assert_eq!(cause(check(&token, &[("X-Webhook-Token", "tok-curren")])), "token_wrong");
}

#[test]
fn the_query_token_counts_only_in_token_mode() {
    let result = check_at(&creds(AuthMode::HmacToken), &[TS, (SIG, V1)], Some("tok-current"), BODY, NOW);
    assert_eq!(cause(result), "token_missing");
}

#[test]
fn a_replay_has_the_same_key_and_another_second_another_one() {
    let key = |headers: &[(&str, &str)]| check(&hmac_creds(), headers).unwrap().replay_key.unwrap().digest();
    let first = key(&[TS, (SIG, V1)]);
    assert_eq!(first.len(), 64);
    assert_eq!(first, key(&[TS, ("X-Hub-Signature-256", &PAIR.to_uppercase())]), "written differently, still the same");
    let later = sign("whk-secret", "2540808001", BODY);
    assert_ne!(first, key(&[("X-Webhook-Timestamp", "2540808001"), (SIG, &later)]));
}

/// Keys of earlier versions lie in Redis: the digest is part of a format.
#[test]
fn the_replay_key_is_a_digest_over_timestamp_signature_and_body() {
    let mac = hex::decode(PAIR).unwrap();
    let whole = [TS.1.as_bytes(), b".", &mac, b".", BODY].concat();
    let proof = check(&hmac_creds(), &[TS, (SIG, V1)]).unwrap();
    assert_eq!(proof.replay_key.unwrap().digest(), hex::encode(Sha256::digest(whole)));
}

#[test]
fn keys_prepared_once_serve_many_requests() {
    let rotating = WebhookCredentials { secrets: vec!["new-secret".into(), "whk-secret".into()], ..hmac_creds() };
    let keys = rotating.prepare();
    let headers = PresentedHeaders::new([(TS.0, TS.1.as_bytes()), (SIG, V1.as_bytes())]);
    for _ in 0..3 {
        assert!(keys.verify(&headers, None, BODY, NOW).is_ok());
        assert_eq!(keys.verify(&headers, None, b"{}", NOW).unwrap_err().0, "signature_wrong");
    }
}

#[test]
fn standard_deliveries_in_one_second_differ_by_their_id() {
    let signed = |id: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"secretaria-webhook-test-key-0001").unwrap();
        mac.update(format!("{id}.2540808000.").as_bytes());
        mac.update(BODY);
        format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes()))
    };
    let key = |id: &str| check(&standard_creds(), &standard(&signed(id), id)).unwrap().replay_key.unwrap().digest();
    assert_eq!(key("a"), key("a"));
    assert_ne!(key("a"), key("b"));
}

#[test]
fn secrets_do_not_show_in_debug() {
    let shown =
        format!("{:?} {:?}", creds(AuthMode::Hmac), PresentedHeaders::new([("authorization", &b"Bearer tok-1"[..])]));
    let keys = creds(AuthMode::Hmac).prepare();
    let proof = check(&hmac_creds(), &[TS, (SIG, V1)]).unwrap();
    assert_eq!(
        format!("{keys:?} {proof:?}"),
        "WebhookKeys { mode: Hmac, .. } Proof { replay_key: Some(ReplayKey(…)) }"
    );
    assert!(!shown.contains("whk-") && !shown.contains("tok-"), "{shown}");
}

#[test]
fn modes_are_written_as_in_the_setting() {
    for mode in [AuthMode::HmacToken, AuthMode::Hmac, AuthMode::Token] {
        assert_eq!(mode.as_str().parse::<AuthMode>().unwrap(), mode);
        assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
    }
    assert!("none".parse::<AuthMode>().is_err());
}

proptest! {
    #[test]
    fn only_the_right_secret_time_and_body_open(secret in "[a-z]{1,20}", body in prop::collection::vec(any::<u8>(), 0..64), skew in -600_i64..600) {
        let ts = (NOW + skew).to_string();
        let good = sign(&secret, &ts, &body);
        let creds = WebhookCredentials { secrets: vec![secret.clone()], ..hmac_creds() };
        let headers = [("X-Webhook-Timestamp", ts.as_str()), (SIG, good.as_str())];
        prop_assert_eq!(check_at(&creds, &headers, None, &body, NOW).is_ok(), skew.abs() <= 300);
        let other = WebhookCredentials { secrets: vec![format!("{secret}x")], ..hmac_creds() };
        prop_assert!(check_at(&other, &headers, None, &body, NOW).is_err());
    }

    #[test]
    fn garbage_headers_never_panic_nor_open(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 9)) {
        let names = ["authorization", "x-webhook-token", "x-signature-256", "x-webhook-timestamp", "x-timestamp", "x-signature",
            "webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers = PresentedHeaders::new(names.into_iter().zip(values.iter().map(Vec::as_slice)));
        for mode in [AuthMode::HmacToken, AuthMode::Hmac, AuthMode::Token] {
            prop_assert!(creds(mode).prepare().verify(&headers, None, BODY, NOW).is_err());
        }
    }
}
