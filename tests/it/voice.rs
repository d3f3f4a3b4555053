//! Voice messages: where their file is, how it is fetched, and what is heard.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secretaria::clients::channel::whaticket::inbound::read;
use secretaria::clients::channel::whaticket::media::decrypt_sound;
use secretaria::clients::guard::is_public;
use secretaria::clients::http::HttpClient;
use secretaria::clients::llm::{CeilingField, LlmEndpoint, LlmKind};
use secretaria::clients::media::{Fetchers, fetch};
use secretaria::clients::transcription::{Limits, Sound, Transcription, transcribe};
use secretaria::clients::{WireError, WireErrorKind};
use secretaria::clock::Clock;
use secretaria::domain::inbound::{Inbound, Media, MessageKind};
use secretaria::services::hearing::{Unheard, hear};
use secretaria::standins::{Fault, FaultKind, Provider, StandIns};
use serde_json::{Value, json};

use crate::harness::World;

const QUESTION: &str = "Oi, qual o horário de vocês no sábado?";

fn media_of(body: Value) -> Option<Media> {
    let messages = read(body.to_string().as_bytes()).unwrap();
    let Some(Inbound::Message(message)) = messages.into_iter().next() else { panic!("no message: {body}") };
    assert_eq!(message.kind, MessageKind::Audio);
    message.media.map(|media| *media)
}

fn baileys(sound: Value) -> Value {
    json!({"key": {"remoteJid": "5511987654321@s.whatsapp.net", "fromMe": false, "id": "A1"},
        "message": {"audioMessage": sound}})
}

#[test]
fn raw_messages_point_at_whatsapp_and_bring_the_key() {
    let bytes: Vec<u8> = (0..32).collect();
    let key = BASE64_STANDARD.encode(&bytes);
    let numbered: serde_json::Map<String, Value> =
        bytes.iter().enumerate().map(|(n, byte)| (n.to_string(), json!(byte))).collect();
    let url = "https://mmg.whatsapp.net/v/t62.7117-24/1_n.enc?ccb=11-4";
    for written in [json!(key), json!({"type": "Buffer", "data": bytes}), json!(bytes), Value::Object(numbered)] {
        let sound =
            json!({"url": url, "mimetype": "audio/ogg; codecs=opus", "seconds": 7, "ptt": true, "mediaKey": written});
        let media = media_of(baileys(sound)).unwrap();
        assert_eq!((media.url.as_str(), media.seconds), (url, Some(7)), "{written}");
        assert_eq!((media.mime.as_str(), media.key.as_deref()), ("audio/ogg; codecs=opus", Some(key.as_str())));
    }
    // Without its key the file is noise; a broken key is none.
    for written in [Value::Null, json!("c2hvcnQ="), json!([1, 2, 300]), json!(7)] {
        assert_eq!(media_of(baileys(json!({"url": url, "mediaKey": written}))), None, "{written}");
    }
    let wrapped = json!({"key": {"remoteJid": "5511987654321@s.whatsapp.net", "id": "A2"},
        "message": {"ephemeralMessage": {"message": {"audioMessage": {"url": url, "mediaKey": key}}}}});
    assert_eq!(media_of(wrapped).unwrap().key, Some(key));
}

#[test]
fn forks_and_proxies_name_an_address_of_their_own() {
    let url = "https://api.example.com.br/public/1760000000_audio.ogg";
    let rows = [
        json!({"messageId": "1", "messageBody": "", "fromMe": false, "mediaType": "audio", "mediaUrl": url,
            "ticket": {"id": 1}, "contact": {"phoneNumber": "5511987654321"}}),
        json!({"id": "1", "number": "5511987654321", "text": "", "kind": "audio", "mediaUrl": url}),
        {
            let mut message = baileys(json!({"url": "https://mmg.whatsapp.net/x.enc"}));
            message["mediaUrl"] = json!(url);
            message
        },
    ];
    for body in rows {
        let media = media_of(body.clone()).unwrap();
        assert_eq!((media.url.as_str(), media.key), (url, None), "{body}");
    }
    for wrong in ["", "ftp://api.example.com/a", "/public/a.ogg", &format!("https://x/{}", "a".repeat(3_000))] {
        let body = json!({"id": "1", "number": "5511987654321", "text": "", "kind": "audio", "mediaUrl": wrong});
        assert_eq!(media_of(body), None, "{wrong}");
    }
}

/// A file of one block and a half, made with Python's `cryptography` and `hmac`: key 0..31, text `OggS e mais um pouco!`.
const ENCRYPTED: &str = "d11513473d25daf7d7293b2f22a4bed0a83e2836db9ce5d1e677da7de0b08d009d5e6b4a306eacb31c51";

#[test]
fn whatsapps_files_open_with_their_key_only() {
    let key: Vec<u8> = (0..32).collect();
    let key = BASE64_STANDARD.encode(key);
    let file = hex::decode(ENCRYPTED).unwrap();
    assert_eq!(decrypt_sound(&file, &key).unwrap(), b"OggS e mais um pouco!");
    for at in 0..file.len() {
        let mut bent = file.clone();
        bent[at] ^= 1;
        assert_eq!(decrypt_sound(&bent, &key), None, "bent at {at}");
    }
    let other = BASE64_STANDARD.encode([9_u8; 32]);
    assert_eq!(decrypt_sound(&file, &other), None);
    for length in [0, 5, 10, 25, file.len() - 1] {
        assert_eq!(decrypt_sound(&file[..length], &key), None, "{length}");
    }
    assert_eq!(decrypt_sound(&file, "no base64"), None);
}

#[test]
fn only_the_public_internet_is_public() {
    let inside = [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "2002:7f00:1::",
        "3fff::1",
        "::7f00:1",
        "5f00::1",
        "100::1",
    ];
    let outside = [
        "8.8.8.8",
        "157.240.12.53",
        "200.160.2.3",
        "172.32.0.1",
        "100.128.0.1",
        "2a03:2880:f00c::1",
        "2001:4860:4860::8888",
        "2804:14d:1::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ];
    let public = |text: &str| is_public(text.parse::<IpAddr>().unwrap());
    assert_eq!(inside.iter().filter(|text| public(text)).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(outside.iter().filter(|text| !public(text)).collect::<Vec<_>>(), Vec::<&&str>::new());
}

struct Lab {
    standins: StandIns,
    http: HttpClient,
    guarded: HttpClient,
}

impl Lab {
    async fn open() -> Self {
        let standins = StandIns::start(Clock::new(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let patience = Duration::from_secs(2);
        Self { standins, http: HttpClient::new(patience).unwrap(), guarded: HttpClient::guarded(patience).unwrap() }
    }

    async fn fetch(&self, url: &str, limit: usize) -> Result<Option<Vec<u8>>, WireError> {
        let fetchers = Fetchers { trusted: &self.http, guarded: &self.guarded };
        let channel = self.standins.whaticket_url(42);
        let file = fetch(fetchers, url, &channel, (limit, Duration::from_secs(5))).await?;
        Ok(file.map(|file| file.bytes))
    }

    fn endpoint(&self, kind: LlmKind) -> LlmEndpoint {
        let (base_url, model) = match kind {
            LlmKind::Gemini => (self.standins.gemini_url(), "gemini-3.5-flash-lite"),
            LlmKind::OpenAi => (self.standins.openai_url(), "whisper-1"),
        };
        LlmEndpoint {
            kind,
            base_url,
            api_version: "v1beta".to_owned(),
            api_key: StandIns::credential(42, "k3y").into(),
            model: model.to_owned(),
            ceiling: CeilingField::MaxTokens,
        }
    }

    async fn hears(&self, kind: LlmKind, sound: &Sound) -> Result<Transcription, WireError> {
        let limits = Limits { bytes: 100_000, seconds: 60, timeout: Duration::from_secs(5) };
        transcribe(&self.http, &self.endpoint(kind), sound, &limits, "corr-7").await
    }
}

fn sound(bytes: Vec<u8>) -> Sound {
    Sound { bytes, mime: "audio/ogg; codecs=opus".to_owned(), seconds: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_fetched_whole_or_not_at_all() {
    let lab = Lab::open().await;
    let url = lab.standins.put_media(42, "a.ogg", "audio/ogg", vec![7; 1_000]);
    assert_eq!(lab.fetch(&url, 1_000).await.unwrap(), Some(vec![7; 1_000]));
    assert_eq!(lab.fetch(&url, 999).await.unwrap(), None, "one byte over the limit");
    let gone = lab.fetch(&url.replace("a.ogg", "b.ogg"), 1_000).await.unwrap_err();
    assert_eq!((gone.kind, gone.code), (WireErrorKind::Invalid, "gone"));
    lab.standins.add_fault(Fault::new(Provider::Whaticket, FaultKind::Truncated).times(1));
    assert_eq!(lab.fetch(&url, 1_000).await.unwrap_err().code, "reset");
    let mut moved = Fault::status(Provider::Whaticket, 302, "");
    moved.headers.insert("location".to_owned(), "http://127.0.0.1:1/".to_owned());
    lab.standins.add_fault(moved.times(1));
    assert_eq!(lab.fetch(&url, 1_000).await.unwrap_err().code, "refused", "no redirect is followed");
    assert!(lab.standins.ledger_since(0).iter().all(|entry| !entry.headers.contains_key("authorization")));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_channels_own_server_may_be_private() {
    let lab = Lab::open().await;
    let elsewhere = StandIns::start(Clock::new(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let secret = elsewhere.put_media(42, "a.ogg", "audio/ogg", vec![7; 10]);
    let (_, port) = secret.split_once("127.0.0.1:").unwrap();
    for url in [
        secret.clone(),
        format!("https://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
        format!("https://2130706433:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        "https://".to_owned(),
        secret.replace("http://", "http://user:secret@"),
    ] {
        let error = lab.fetch(&url, 1_000).await.unwrap_err();
        assert!(["forbidden_url", "dns", "connect", "bad_url"].contains(&error.code), "{url}: {error}");
    }
    assert!(elsewhere.ledger_since(0).is_empty(), "not one request got through");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_providers_write_down_what_is_said() {
    let lab = Lab::open().await;
    for kind in [LlmKind::Gemini, LlmKind::OpenAi] {
        let heard = lab.hears(kind, &sound(StandIns::voice(QUESTION, 4))).await.unwrap();
        let Transcription::Text { text, usage } = heard else { panic!("{heard:?}") };
        assert_eq!(text, QUESTION);
        assert_eq!(usage.is_some(), kind == LlmKind::Gemini);
        let entry = lab.standins.ledger_since(0).pop().unwrap();
        assert_eq!((entry.company, entry.headers["x-correlation-id"].as_str()), (Some(42), "corr-7"));
    }
    let calls = lab.standins.ledger_since(0);
    let part = &calls[0].body["contents"][0]["parts"][0]["inlineData"];
    assert_eq!(part["mimeType"], "audio/ogg");
    let form = calls[1].body.as_str().unwrap();
    assert_eq!(calls[1].path, "/openai/v1/audio/transcriptions");
    assert!(form.contains("filename=\"voz.ogg\"\r\nContent-Type: audio/ogg\r\n\r\nOggS"), "{form}");
    assert!(form.contains("name=\"language\"\r\n\r\npt\r\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_noise_and_what_is_no_sound_are_nothing_heard() {
    let lab = Lab::open().await;
    let nothing = |heard: &Transcription| matches!(heard, Transcription::NothingHeard { .. });
    for kind in [LlmKind::Gemini, LlmKind::OpenAi] {
        for words in ["", " … ", "[inaudível]", "Legendas pela comunidade Amara.org"] {
            let heard = lab.hears(kind, &sound(StandIns::voice(words, 4))).await.unwrap();
            assert!(nothing(&heard), "{kind:?} {words}: {heard:?}");
        }
        let before = lab.standins.ledger_since(0).len();
        for bytes in [Vec::new(), b"<html>login</html>".to_vec(), b"%PDF-1.7".to_vec()] {
            let other = Sound { bytes, mime: "text/html".to_owned(), seconds: None };
            assert!(nothing(&lab.hears(kind, &other).await.unwrap()));
        }
        assert_eq!(lab.standins.ledger_since(0).len(), before, "nobody is asked about what is no sound");
    }
    for trouble in [FaultKind::Blocked, FaultKind::BlockedAnswer, FaultKind::Empty] {
        lab.standins.clear_faults();
        lab.standins.add_fault(Fault::new(Provider::Gemini, trouble));
        assert!(nothing(&lab.hears(LlmKind::Gemini, &sound(StandIns::voice("oi", 1))).await.unwrap()), "{trouble:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_long_and_too_large_are_told_before_anybody_is_asked() {
    let lab = Lab::open().await;
    let mut lied = sound(StandIns::voice("oi", 61));
    lied.seconds = Some(3);
    let claimed = Sound { bytes: b"ID3\x04\x00".to_vec(), mime: "audio/mpeg".to_owned(), seconds: Some(61) };
    let large = sound([StandIns::voice("oi", 3), vec![0; 100_000]].concat());
    for too_large in [lied, claimed, large] {
        assert_eq!(lab.hears(LlmKind::OpenAi, &too_large).await.unwrap(), Transcription::TooLarge);
    }
    assert!(lab.standins.ledger_since(0).is_empty());
    // The file's own word counts more than the sender's.
    let mut short = sound(StandIns::voice("oi", 60));
    short.seconds = Some(4_000);
    assert!(matches!(lab.hears(LlmKind::OpenAi, &short).await.unwrap(), Transcription::Text { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_keeps_its_name() {
    let lab = Lab::open().await;
    let voice = sound(StandIns::voice("oi", 1));
    for (kind, provider) in [(LlmKind::Gemini, Provider::Gemini), (LlmKind::OpenAi, Provider::OpenAi)] {
        for (status, code) in [(503, "overloaded"), (401, "key_refused"), (429, "rate_limited"), (200, "garbage")] {
            lab.standins.clear_faults();
            lab.standins.add_fault(Fault::status(provider, status, json!({})));
            assert_eq!(lab.hears(kind, &voice).await.unwrap_err().code, code, "{kind:?} {status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_listens_hears_and_falls_back_to_its_second_model() {
    let world = World::builder().workers(0).start().await;
    let services = &world.process.services;
    let url = world.standins.put_media(world.clinic.id.get(), "v.ogg", "audio/ogg", StandIns::voice(QUESTION, 5));
    let voice = Media { url, mime: String::new(), seconds: Some(5), key: None };
    let heard = async |media: &Media| hear(services, &world.tenant(&world.clinic), media, "c-9").await;
    assert_eq!(heard(&voice).await.words.unwrap_err(), Unheard::Off, "unless it is turned on, nothing leaves");
    assert!(world.ledger().is_empty());

    let openai = world.standins.openai_url();
    let key = StandIns::credential(world.clinic.id.get(), "two");
    let on = [
        ("audio.transcribe", "true"),
        ("llm2.kind", "openai"),
        ("llm2.base_url", openai.as_str()),
        ("llm2.model", "gpt-4o-mini"),
        ("secret:llm2.api_key", key.as_str()),
    ];
    world.configure(&world.clinic, &on).await;
    let hearing = heard(&voice).await;
    assert_eq!(hearing.words.unwrap().as_str(), QUESTION);
    assert!(hearing.usage.input > 0 && !hearing.estimated);
    world.standins.add_fault(Fault::status(Provider::Gemini, 503, json!({})));
    assert_eq!(heard(&voice).await.words.unwrap().as_str(), QUESTION);
    assert!(world.ledger().pop().unwrap().path.ends_with("/audio/transcriptions"));
    world.standins.add_fault(Fault::status(Provider::OpenAi, 500, json!({})));
    assert_eq!(heard(&voice).await.words.unwrap_err(), Unheard::Failed);
    world.standins.clear_faults();

    let long = Media { seconds: Some(181), ..voice.clone() };
    assert_eq!(heard(&long).await.words.unwrap_err(), Unheard::TooLarge);
    let gone = Media { url: voice.url.replace("v.ogg", "w.ogg"), ..voice.clone() };
    assert_eq!(heard(&gone).await.words.unwrap_err(), Unheard::Failed);
    let silence = world.standins.put_media(world.clinic.id.get(), "s.ogg", "audio/ogg", StandIns::voice("", 2));
    assert_eq!(heard(&Media { url: silence, ..voice.clone() }).await.words.unwrap_err(), Unheard::Nothing);
    let locked = Media { key: Some(BASE64_STANDARD.encode([1; 32])), ..voice };
    assert_eq!(heard(&locked).await.words.unwrap_err(), Unheard::Failed);
    world.end().await;
}
